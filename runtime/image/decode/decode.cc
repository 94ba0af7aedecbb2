// SPDX-License-Identifier: Apache-2.0
// Image: from the bytes of a file to upright RGB.
#include <vitrine/image.hpp>

#include <climits>
#include <cstdlib>

#include "runtime/base/status.h"
#include "runtime/image/decode/decoders.h"
#include "runtime/image/pixels.h"

namespace vitrine {

Status CheckSize(int64_t width, int64_t height) {
  if (width < 1 || height < 1 || width > kMaxImageSide || height > kMaxImageSide ||
      width * height > Image::kMaxPixels) {
    return Status::Error(Code::kInvalidImage,
                         "image is %lld x %lld pixels, expected sides of 1 to %d and at most %lld in all",
                         static_cast<long long>(width), static_cast<long long>(height), kMaxImageSide,
                         static_cast<long long>(Image::kMaxPixels));
  }
  return {};
}

Image::~Image() { std::free(pixels_); }

Result<Image> Image::Create(int width, int height) {
  VITRINE_RETURN_IF_ERROR(CheckSize(width, height));
  const size_t bytes = size_t{3} * static_cast<size_t>(width) * static_cast<size_t>(height);
  uint8_t* pixels = static_cast<uint8_t*>(std::malloc(bytes));
  if (pixels == nullptr)
    return Status::Error(Code::kOutOfMemory, "no memory for an image of %d x %d", width, height);
  return Adopt(pixels, width, height);
}

Image Image::Adopt(uint8_t* pixels, int width, int height) {
  Image image;
  image.pixels_ = pixels;
  image.width_ = width;
  image.height_ = height;
  return image;
}

Result<Image> Image::Decode(std::span<const uint8_t> bytes, const DecodeOptions& options) {
  if (bytes.size() > INT_MAX) return Status::Error(Code::kInvalidImage, "file is larger than 2 GB");
  const Result<Container> container = InspectContainer(bytes);
  if (!container.ok()) return container.status();
  const Orientation orientation =
      options.apply_orientation ? ReadOrientation(container.value().exif) : Orientation::kUpright;
  switch (container.value().type) {
    case FileType::kJpeg:
      return DecodeJpeg(bytes, orientation);
    case FileType::kPng:
    case FileType::kBmp:
      return DecodePngOrBmp(bytes, orientation);
    case FileType::kPnm:
      break;
  }
  return DecodePnm(bytes);
}

}  // namespace vitrine
