// SPDX-License-Identifier: Apache-2.0
// Text for HTML pages, and the head and the style sheet that all pages share.
#pragma once

#include <string>
#include <string_view>

namespace vitrine {

/// Returns the text that printf would print.
[[gnu::format(printf, 1, 2)]] std::string Format(const char* format, ...);

/// Returns `text` for use between tags and in quoted attributes.
std::string Escape(std::string_view text);

/// Returns the start of a page: the document type, the head with `title` and the style sheet, and a heading of `title`.
/// The caller appends the content and "</html>". Classes of the style sheet:
///
///   tiles, tile    large figures in a row: a <b> and a <span> each
///   cards, card    boxes; inside `cards` they form a grid
///   wide           scrolls when its content is wider than the page
///   note, soft     smaller text; paler text
///   key            a coloured square of a legend, an <i> before its word
///   axis, edge     lines of a drawing
///   share          rows of a name, a bar and a percentage
///   n              a column of numbers in a table
///   static, dynamic, four, float    colours of the number types
std::string StartPage(std::string_view title);

}  // namespace vitrine
