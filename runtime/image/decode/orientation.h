// SPDX-License-Identifier: Apache-2.0
// The EXIF orientation: read from untrusted metadata, and undone while rows are written.
#pragma once

#include <vitrine/image.hpp>
#include <vitrine/status.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace vitrine {

/// How the stored picture must be turned to be upright, with EXIF's numbers (tag 0x0112).
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

/// Returns the orientation in an Exif block, which begins with its TIFF header; kUpright when there is none
/// or the block is not right. Reads nothing outside `exif`, whatever it says. Pure.
Orientation ReadOrientation(std::span<const uint8_t> exif);

/// Whether width and height are exchanged.
constexpr bool IsSideways(Orientation orientation) { return orientation >= Orientation::kTranspose; }

/// Writes the rows of a stored picture into an upright one.
class UprightWriter {
 public:
  /// The stored picture has `width` x `height` pixels; `upright` those, or exchanged where IsSideways().
  UprightWriter(uint8_t* upright, int width, int height, Orientation orientation);

  /// Writes stored row y, of packed RGB.
  void WriteRow(int y, const uint8_t* rgb) const;

 private:
  uint8_t* origin_;  // where stored pixel (0, 0) goes
  int width_;
  ptrdiff_t step_x_, step_y_;  // bytes to where the next stored pixel, or row, goes
};

}  // namespace vitrine
