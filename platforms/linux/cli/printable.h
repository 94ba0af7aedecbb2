// SPDX-License-Identifier: Apache-2.0
// What the commands print: text from files and file names, made safe for a terminal, and JSON lines.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace vitrine {

/// Returns `text` (UTF-8) with '?' in place of control characters, which a terminal would obey.
std::string Printable(std::string_view text);

/// Returns printable text as a table cell of `width` characters: cut, or padded on the right or the left.
std::string Cell(const std::string& text, size_t width, bool pad_left = false);

/// Prints `json` on one line of stdout and flushes it. Bytes that are not UTF-8 become U+FFFD.
void PrintJsonLine(const nlohmann::ordered_json& json);

}  // namespace vitrine
