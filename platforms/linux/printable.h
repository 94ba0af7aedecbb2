// SPDX-License-Identifier: Apache-2.0
// Text of files and of their names on a terminal.
#pragma once

#include <algorithm>
#include <string>

namespace vitrine {

/// `text`, UTF-8, with '?' in the place of control characters: a terminal would obey them.
inline std::string Printable(std::string text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = text[i], next = i + 1 < text.size() ? text[i + 1] : 0;
    if (c < 0x20 || c == 0x7f) text[i] = '?';
    if (c == 0xc2 && next >= 0x80 && next < 0xa0) text.replace(i, 2, "?");  // U+0080 to U+009F
  }
  return text;
}

/// Printable text as a table's cell of `width` characters: cut, or padded on its right or on its left.
inline std::string Cell(const std::string& text, size_t width, bool pad_left = false) {
  size_t characters = 0, bytes = 0;
  for (; bytes < text.size(); ++bytes) {
    const bool is_first = (static_cast<unsigned char>(text[bytes]) & 0xc0) != 0x80;
    if (is_first && characters == width) break;
    characters += is_first;
  }
  const std::string padding(width - std::min(characters, width), ' ');
  return pad_left ? padding + text.substr(0, bytes) : text.substr(0, bytes) + padding;
}

}  // namespace vitrine
