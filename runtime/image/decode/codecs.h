// SPDX-License-Identifier: Apache-2.0
// One decoder for each type of file, each in its own source. InspectContainer() has looked
// at the bytes before.
//
// Each returns the picture upright, as Image::Decode() promises. Bytes may be anything: errors are
// kInvalidImage or kOutOfMemory, and nothing is read outside `bytes`.
#pragma once

#include <vitrine/image.hpp>
#include <vitrine/status.hpp>

#include <cstdint>
#include <span>

#include "runtime/image/decode/orientation.h"

namespace vitrine {

Result<Image> DecodeJpeg(std::span<const uint8_t> bytes, Orientation orientation);
Result<Image> DecodePngOrBmp(std::span<const uint8_t> bytes, Orientation orientation);
Result<Image> DecodePnm(std::span<const uint8_t> bytes);

/// Returns ok when a picture of that size is read: sides of 1 to kMaxImageSide, at most Image::kMaxPixels.
Status CheckSize(int64_t width, int64_t height);

}  // namespace vitrine
