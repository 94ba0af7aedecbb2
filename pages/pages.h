// SPDX-License-Identifier: Apache-2.0
// Text for HTML pages, the head and style sheet that all pages share, and pictures as files and as text. Pixels are RGB, 8 bits
// per channel, with rows without padding.
#pragma once

#include <cstdint>
#include <span>
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

/// Returns the pixels [height, width, 3] as a PNG file; empty when memory runs out.
std::string EncodePng(std::span<const uint8_t> rgb, int width, int height);

/// Returns the pixels [height, width, 3] as a JPEG file; empty when memory runs out. `quality` 1 to 100.
std::string EncodeJpeg(std::span<const uint8_t> rgb, int width, int height, int quality);

/// Returns `bytes` in Base64 (RFC 4648), padded with '='.
std::string Base64(std::string_view bytes);

/// Returns the pixels [height, width, 3] as "data:image/png;base64,...", for the `src` of an <img>.
std::string PngUri(std::span<const uint8_t> rgb, int width, int height);

}  // namespace vitrine
