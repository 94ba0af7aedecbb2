// SPDX-License-Identifier: Apache-2.0
// What is worth knowing and no failure: told to the caller's function, or to nobody.
#pragma once

#include <vitrine/vitrine.hpp>

namespace vitrine {

/// One line, cut at 300 bytes. Thread-safe.
[[gnu::format(printf, 2, 3)]] void Log(LogLevel level, const char* format, ...);

}  // namespace vitrine
