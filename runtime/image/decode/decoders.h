// SPDX-License-Identifier: Apache-2.0
// Image files: what a file holds before any pixel is decoded, one decoder for each type, and the EXIF orientation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vitrine/image.hpp>
#include <vitrine/status.hpp>

namespace vitrine {

enum class FileType : uint8_t { kJpeg, kPng, kBmp, kPnm };

struct Container {
  FileType type;
  std::span<const uint8_t> exif;  ///< begins with its TIFF header; empty where there is none
};

/// Returns the type of the image file in `bytes`. Fails with kInvalidImage for an unsupported type, which it names if it is
/// a common one, and for an incomplete file: a JPEG without its end-of-image marker, a PNG without IEND or with a wrong
/// checksum, a BMP that is shorter than its rows. Reads the file once; does not allocate.
Result<Container> InspectContainer(std::span<const uint8_t> bytes);

/// How to turn the stored picture upright; the numbers are EXIF's (tag 0x0112).
enum class Orientation : uint8_t {
  kUpright = 1,
  kMirror = 2,  ///< left and right exchanged
  kTurnHalf = 3,
  kFlip = 4,        ///< top and bottom exchanged
  kTranspose = 5,   ///< rows become columns
  kTurnRight = 6,   ///< a quarter turn clockwise
  kTransverse = 7,  ///< transposed and turned half
  kTurnLeft = 8,
};

/// Returns the orientation in an EXIF block, which begins with its TIFF header; kUpright when there is none or the block is
/// invalid. Reads nothing outside `exif`, whatever its bytes are.
Orientation ReadOrientation(std::span<const uint8_t> exif);

/// Returns whether width and height are exchanged.
constexpr bool IsSideways(Orientation orientation) { return orientation >= Orientation::kTranspose; }

/// Writes the rows of a stored picture into an upright one.
class UprightWriter {
 public:
  /// The stored picture has `width` x `height` pixels; `upright` has the same, exchanged if IsSideways().
  UprightWriter(uint8_t* upright, int width, int height, Orientation orientation);

  /// Writes stored row y, of packed RGB.
  void WriteRow(int y, const uint8_t* rgb) const;

 private:
  uint8_t* origin_;  // destination of stored pixel (0, 0)
  int width_;
  ptrdiff_t step_x_, step_y_;  // bytes between the destinations of stored pixels and rows
};

/// Decode one type of file each, after InspectContainer(). They return the picture upright, as Image::Decode() does. The
/// bytes may be anything: errors are kInvalidImage or kOutOfMemory, and nothing outside `bytes` is read.
Result<Image> DecodeJpeg(std::span<const uint8_t> bytes, Orientation orientation);
Result<Image> DecodePngOrBmp(std::span<const uint8_t> bytes, Orientation orientation);
Result<Image> DecodePnm(std::span<const uint8_t> bytes);

/// Returns ok when the size is supported: sides of 1 to kMaxImageSide, and at most Image::kMaxPixels.
Status CheckSize(int64_t width, int64_t height);

}  // namespace vitrine
