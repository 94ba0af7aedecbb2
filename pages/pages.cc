// SPDX-License-Identifier: Apache-2.0
#include "pages/pages.h"

#include <cstdarg>
#include <cstdio>

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include "stb_image_write.h"

namespace vitrine {
namespace {

constexpr char kStyle[] = R"(<style>
:root { color-scheme: light dark; --ink: #1d2330; --soft: #5c6678; --line: #d5dae3; --page: #fff; --card: #f4f6f9 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9f0; --soft: #9aa4b5; --line: #3a4252; --page: #12151c; --card: #1b202a } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem; background: var(--page); color: var(--ink) }
h1 { font-size: 1.4rem; margin: 0 0 .8rem; overflow-wrap: anywhere } h2 { font-size: 1.1rem; margin: 2rem 0 .4rem } h3 { font-size: 1rem; margin: 0 0 .4rem }
p { margin: 0 0 .6rem; max-width: 46rem } .soft, h2 + p { color: var(--soft) } .note { font-size: 13px }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.5rem; margin: .8rem 0 } dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
.tiles { display: flex; flex-wrap: wrap; gap: .8rem } .tile, .card { background: var(--card); border-radius: .5rem; padding: .7rem 1rem; min-width: 0 }
.tile { flex: 1 1 7rem } .tile b { display: block; font-size: 1.5rem; white-space: nowrap } .tile span { color: var(--soft) }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); gap: 1rem }
.card img { float: right; margin: 0 0 .5rem .8rem; border-radius: .3rem } .wide { overflow-x: auto }
.key { display: inline-block; margin-right: 1rem } .key i { display: inline-block; width: .75em; height: .75em; border-radius: .2em; margin-right: .35em }
.share { display: grid; grid-template-columns: 8rem 1fr 4rem; gap: .1rem .5rem; font-size: 13px; clear: left } .share i { height: .7em; margin-top: .4em; border-radius: .2em }
table { border-collapse: collapse; width: 100%; font-size: 13px } td, th { text-align: left; padding: .15rem .8rem .15rem 0; border-bottom: 1px solid var(--line) }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
svg { display: block; max-width: 100%; height: auto } .wide svg { max-width: none; min-width: 44rem } text { fill: var(--ink); font: 11px system-ui, sans-serif } text.soft { fill: var(--soft) }
.axis { stroke: var(--line) } .edge { fill: none; stroke: var(--soft); stroke-opacity: .45 } rect:hover, path:hover { stroke: var(--ink) }
.static { fill: #0a8f5b; background: #0a8f5b } .dynamic { fill: #3b82d0; background: #3b82d0 } .four { fill: #b05cc6; background: #b05cc6 } .float { fill: #d09020; background: #d09020 }
</style>
)";

/// For stb: appends to the string `context`.
void Append(void* context, void* data, int bytes) {
  static_cast<std::string*>(context)->append(static_cast<const char*>(data), static_cast<size_t>(bytes));
}

}  // namespace

std::string Format(const char* format, ...) {
  va_list values, again;
  va_start(values, format);
  va_copy(again, values);
  const int size = std::vsnprintf(nullptr, 0, format, values);
  std::string text(static_cast<size_t>(size < 0 ? 0 : size), '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  va_end(values);
  return text;
}

std::string Escape(std::string_view text) {
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

std::string StartPage(std::string_view title) {
  const std::string escaped = Escape(title);
  return "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
         escaped + "</title>\n" + kStyle + "<h1>" + escaped + "</h1>\n";
}

std::string EncodePng(std::span<const uint8_t> rgb, int width, int height) {
  std::string png;
  if (stbi_write_png_to_func(Append, &png, width, height, 3, rgb.data(), 3 * width) == 0) png.clear();
  return png;
}

std::string EncodeJpeg(std::span<const uint8_t> rgb, int width, int height, int quality) {
  std::string jpeg;
  if (stbi_write_jpg_to_func(Append, &jpeg, width, height, 3, rgb.data(), quality) == 0) jpeg.clear();
  return jpeg;
}

std::string Base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < bytes.size() ? static_cast<uint8_t>(bytes[i + j]) : 0);
    for (size_t j = 0; j < 4; ++j) text += i + j <= bytes.size() ? kDigits[group >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

std::string PngUri(std::span<const uint8_t> rgb, int width, int height) {
  return "data:image/png;base64," + Base64(EncodePng(rgb, width, height));
}

}  // namespace vitrine
