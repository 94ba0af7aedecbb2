// SPDX-License-Identifier: Apache-2.0
#include "runtime/image/decode/decoders.h"

#include <cstring>

namespace vitrine {
namespace {

/// Numbers of a TIFF structure, in the byte order that it declares. Reading past the end gives zero.
class TiffReader {
 public:
  explicit TiffReader(std::span<const uint8_t> bytes) : bytes_(bytes) {
    if (bytes.size() < 8) return;
    big_endian_ = bytes[0] == 'M';
    is_tiff_ = (bytes[0] == 'M' || bytes[0] == 'I') && bytes[1] == bytes[0] && Number(2, 2) == 42;
  }

  bool is_tiff() const { return is_tiff_; }

  /// Returns the unsigned number of `size` bytes at `offset`.
  uint32_t Number(uint64_t offset, int size) const {
    if (offset + static_cast<uint64_t>(size) > bytes_.size()) return 0;
    uint32_t value = 0;
    for (int i = 0; i < size; ++i) {
      value = value << 8 |
              bytes_[static_cast<size_t>(offset) + static_cast<size_t>(big_endian_ ? i : size - 1 - i)];
    }
    return value;
  }

 private:
  std::span<const uint8_t> bytes_;
  bool big_endian_ = false;
  bool is_tiff_ = false;
};

}  // namespace

Orientation ReadOrientation(std::span<const uint8_t> exif) {
  constexpr uint32_t kOrientationTag = 0x0112, kByte = 1, kShort = 3, kLong = 4;
  const TiffReader tiff(exif);
  if (!tiff.is_tiff()) return Orientation::kUpright;
  const uint64_t directory = tiff.Number(4, 4);
  const uint32_t entries = tiff.Number(directory, 2);  // at most 65535, each of 12 bytes
  for (uint32_t i = 0; i < entries; ++i) {
    const uint64_t entry = directory + 2 + uint64_t{12} * i;
    if (tiff.Number(entry, 2) != kOrientationTag) continue;
    const uint32_t type = tiff.Number(entry + 2, 2);
    const int size = type == kByte ? 1 : type == kShort ? 2 : type == kLong ? 4 : 0;
    const uint32_t value = size == 0 ? 0 : tiff.Number(entry + 8, size);
    return value >= 1 && value <= 8 ? static_cast<Orientation>(value) : Orientation::kUpright;
  }
  return Orientation::kUpright;
}

UprightWriter::UprightWriter(uint8_t* upright, int width, int height, Orientation orientation)
    : width_(width) {
  const bool sideways = IsSideways(orientation);
  const ptrdiff_t row = ptrdiff_t{3} * (sideways ? height : width);
  // Along which axes of the upright picture the stored one runs backwards.
  const bool backwards_x = orientation == Orientation::kMirror || orientation == Orientation::kTurnHalf ||
                           orientation == Orientation::kTransverse || orientation == Orientation::kTurnRight;
  const bool backwards_y = orientation == Orientation::kFlip || orientation == Orientation::kTurnHalf ||
                           orientation == Orientation::kTransverse || orientation == Orientation::kTurnLeft;
  const ptrdiff_t along_x = backwards_x ? -3 : 3, along_y = backwards_y ? -row : row;
  step_x_ = sideways ? along_y : along_x;
  step_y_ = sideways ? along_x : along_y;
  origin_ =
      upright + (backwards_x ? row - 3 : 0) + (backwards_y ? row * ((sideways ? width : height) - 1) : 0);
}

void UprightWriter::WriteRow(int y, const uint8_t* rgb) const {
  uint8_t* to = origin_ + y * step_y_;
  if (step_x_ == 3) {
    std::memcpy(to, rgb, static_cast<size_t>(width_) * 3);
    return;
  }
  for (int x = 0; x < width_; ++x, to += step_x_, rgb += 3) std::memcpy(to, rgb, 3);
}

}  // namespace vitrine
