// SPDX-License-Identifier: Apache-2.0
#include "pages/images.h"

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include "stb_image_write.h"

namespace vitrine {
namespace {

/// For stb: appends to the string `context`.
void Append(void* context, void* data, int bytes) {
  static_cast<std::string*>(context)->append(static_cast<const char*>(data), static_cast<size_t>(bytes));
}

}  // namespace

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
