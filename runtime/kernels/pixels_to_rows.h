// SPDX-License-Identifier: Apache-2.0
// Cuts an image into patches, one a row, for the patch embedding.
#pragma once

#include "runtime/kernels/rows.h"

namespace vitrine::kernels {

/// What PixelsToRows works on. Pixels beyond the last whole patch, at the right and the bottom, are left out.
struct PixelsToRowsArguments {
  const uint8_t* pixels = nullptr;  ///< [image_height, image_width, channels]
  size_t image_height = 0;
  size_t image_width = 0;
  size_t channels = 0;
  size_t patch_height = 0;
  size_t patch_width = 0;
  int32_t zero_point = 0;  ///< in [-128, 127]: what stands for zero after 128 is taken away
  OutputRows out;  ///< [patches, patch_height * patch_width * channels], kF32 or kQd8; patches are row-major
};

/// Returns how many rows there are.
constexpr size_t PatchCount(const PixelsToRowsArguments& a) {
  return (a.image_height / a.patch_height) * (a.image_width / a.patch_width);
}

/// Writes patches [first, last), each in the order (y, x, channel): as kQd8 pixel - 128 with the given zero
/// point and a scale of 1, as kF32 pixel - 128 - zero_point. Both are exact. Does not allocate.
void PixelsToRows(const PixelsToRowsArguments& arguments, size_t first, size_t last);

/// The same, one pixel at a time.
void PixelsToRowsReference(const PixelsToRowsArguments& arguments, size_t first, size_t last);

}  // namespace vitrine::kernels
