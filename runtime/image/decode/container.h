// SPDX-License-Identifier: Apache-2.0
// What a file says before any pixel is decoded: its type, whether it is whole, and its EXIF block.
#pragma once

#include <vitrine/image.hpp>
#include <vitrine/status.hpp>

#include <cstdint>
#include <span>

namespace vitrine {

enum class FileType : uint8_t { kJpeg, kPng, kBmp, kPnm };

struct Container {
  FileType type;
  std::span<const uint8_t> exif;  ///< from its TIFF header on; empty where there is none
};

/// Returns the type of the image file in `bytes`. Fails with kInvalidImage, naming the type where it is one
/// that people might expect to work, and on a file that ends before it says it does: a JPEG without its
/// end-of-image marker, a PNG without IEND or with a wrong checksum, a BMP that is shorter than its rows. One
/// pass; allocates nothing.
Result<Container> InspectContainer(std::span<const uint8_t> bytes);

}  // namespace vitrine
