// SPDX-License-Identifier: Apache-2.0
// Text of files and of their names on a terminal.
#pragma once

#include <string>
#include <string_view>

namespace vitrine {

/// `text`, UTF-8, with '?' in the place of control characters: a terminal would obey them.
std::string Printable(std::string_view text);

/// Printable text as a table's cell of `width` characters: cut, or padded on its right or on its left.
std::string Cell(const std::string& text, size_t width, bool pad_left = false);

}  // namespace vitrine
