// SPDX-License-Identifier: Apache-2.0
// Patches, one pixel at a time.
#include "runtime/kernels/pixels_to_rows.h"

namespace vitrine::kernels {

void PixelsToRowsReference(const PixelsToRowsArguments& a, size_t first, size_t last) {
  const size_t across = a.image_width / a.patch_width, row_bytes = a.image_width * a.channels;
  for (size_t patch = first; patch < last; ++patch) {
    const size_t top = patch / across * a.patch_height, left = patch % across * a.patch_width;
    size_t element = patch * a.out.stride;
    for (size_t y = top; y < top + a.patch_height; ++y) {
      for (size_t i = left * a.channels; i < (left + a.patch_width) * a.channels; ++i, ++element) {
        const int value = a.pixels[y * row_bytes + i] - 128;
        if (a.out.type == RowType::kF32) {
          static_cast<float*>(a.out.data)[element] = static_cast<float>(value - a.zero_point);
        }
        if (a.out.type == RowType::kQd8) {
          static_cast<int8_t*>(a.out.data)[element] = static_cast<int8_t>(value);
        }
      }
    }
    if (a.out.type == RowType::kQd8) a.out.quantization[patch] = {a.zero_point, 1.0f};
  }
}

}  // namespace vitrine::kernels
