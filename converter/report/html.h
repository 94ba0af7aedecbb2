// SPDX-License-Identifier: Apache-2.0
// Pieces of text for the report's page.
#pragma once

#include <cstdio>
#include <string>

namespace vitrine {

/// As printf, at most 1023 characters.
template <typename... Values>
std::string Format(const char* format, Values... values) {
  char text[1024];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

/// Text that may stand between tags and in attributes.
inline std::string Escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace vitrine
