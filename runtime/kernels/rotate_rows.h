// SPDX-License-Identifier: Apache-2.0
// Rotary positions (arXiv 2104.09864): every head's query or key turned by angles that its
// patch's place gives.
#pragma once

#include <cstddef>

namespace vitrine::kernels {

/// What is rotated. Head h has the columns [h * K, h * K + K); its values i and i + K / 2 are
/// a point in the plane.
struct RotateRowsArguments {
  float* x = nullptr;  ///< [T, H * K], changed in place
  size_t x_stride = 0;
  const float* table =
      nullptr;  ///< [T, K]: the cosines of K / 2 angles, then their sines; the same for every head
  size_t H = 0;
  size_t K = 0;  ///< even
};

/// Rotates rows [first, last): (a, b) becomes (a cos - b sin, b cos + a sin). f32, the largest error 2
/// units in the last place of the larger of |a| and |b|; 4 multiplications and 2 additions for two
/// values. Does not allocate.
void RotateRows(const RotateRowsArguments& arguments, size_t first, size_t last);

/// The same in f64.
void RotateRowsReference(const RotateRowsArguments& arguments, size_t first, size_t last);

}  // namespace vitrine::kernels
