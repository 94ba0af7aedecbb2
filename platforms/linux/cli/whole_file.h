// SPDX-License-Identifier: Apache-2.0
// Files that are there whole or not at all.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace vitrine {

/// Throws Failure when `output` is one of the files that are read, by this or another name.
void CheckOutput(const std::string& output, std::initializer_list<std::string_view> inputs);

/// Writes beside `path` and renames; what is no file, such as /dev/stdout, is written to. Throws Failure when it
/// cannot be written; nothing is left behind then.
void WriteWholeFile(std::string_view bytes, const std::string& path);

}  // namespace vitrine
