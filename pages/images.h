// SPDX-License-Identifier: Apache-2.0
// Pictures as files and as text. Pixels are RGB, 8 bits a channel, rows without padding.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vitrine {

/// Returns the pixels [height, width, 3] as a PNG file; empty when memory runs out.
std::string EncodePng(std::span<const uint8_t> rgb, int width, int height);

/// Returns the pixels [height, width, 3] as a JPEG file; empty when memory runs out. `quality` 1 to 100.
std::string EncodeJpeg(std::span<const uint8_t> rgb, int width, int height, int quality);

/// Returns `bytes` in Base64 (RFC 4648), padded with '='.
std::string Base64(std::string_view bytes);

/// Returns the pixels [height, width, 3] as "data:image/png;base64,...", for the `src` of an <img>.
std::string PngUri(std::span<const uint8_t> rgb, int width, int height);

}  // namespace vitrine
