// SPDX-License-Identifier: Apache-2.0
// Warnings and information for the caller's log function.
#pragma once

#include <vitrine/vitrine.hpp>

namespace vitrine {

/// Passes one line, cut at 300 bytes, to the log function; does nothing where none is set. Thread-safe.
[[gnu::format(printf, 2, 3)]] void Log(LogLevel level, const char* format, ...);

}  // namespace vitrine
