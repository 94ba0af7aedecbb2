// SPDX-License-Identifier: Apache-2.0
// Files that are there whole or not at all.
#pragma once

#include <string>
#include <string_view>

namespace vitrine {

/// Writes beside `path` and renames. Throws Failure when it cannot be written; nothing is left behind then.
void WriteWholeFile(std::string_view bytes, const std::string& path);

}  // namespace vitrine
