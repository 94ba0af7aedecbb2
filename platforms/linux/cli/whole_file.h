// SPDX-License-Identifier: Apache-2.0
// Output files that are written whole or not at all.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace vitrine {

/// Throws Failure when `output` is one of the input files, under this or another name.
void CheckOutput(const std::string& output, std::initializer_list<std::string_view> inputs);

/// Writes `bytes` to a temporary file next to `path` and renames it. Writes straight to devices and pipes, such as
/// /dev/stdout. Throws Failure when writing fails; then no file is left behind.
void WriteWholeFile(std::string_view bytes, const std::string& path);

}  // namespace vitrine
