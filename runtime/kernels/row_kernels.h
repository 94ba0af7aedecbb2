// SPDX-License-Identifier: Apache-2.0
// The short kernels over rows, in the order in which a model uses them.
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

/// Writes rows [first, last) of x f32 [T, columns] to `out`, kQd8 or kQs8. x may hold anything; columns >= 1.
///
/// The result is within half a step of the value, plus 1e-4 of a step; a kQs8 value out of range saturates.
/// Rows are computed one by one, so any split over threads gives the same bytes. Does not allocate.
void QuantizeRows(const float* x, size_t x_stride, size_t columns, const OutputRows& out, size_t first,
                  size_t last);

/// The same, one element at a time.
void QuantizeRowsReference(const float* x, size_t x_stride, size_t columns, const OutputRows& out,
                           size_t first, size_t last);

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

/// out[c] = mean over rows r in [first, last) of x[r, c]; x f32 [T, D], out f32 [D], last > first. With
/// weights f32 [T], each above zero, or null: row r counts weights[r] times. Does not allocate.
void MeanRows(const float* x, size_t x_stride, const float* weights, size_t D, size_t first, size_t last,
              float* out);

/// The same in f64.
void MeanRowsReference(const float* x, size_t x_stride, const float* weights, size_t D, size_t first,
                       size_t last, float* out);

/// out[i] = exp(x[i] - max) / sum over i of that. n >= 1; out may be x. Does not allocate.
/// A row that holds a NaN, or only -inf, becomes NaN.
void SoftmaxRow(const float* x, size_t n, float* out);

/// The same in f64.
void SoftmaxRowReference(const float* x, size_t n, float* out);

}  // namespace vitrine::kernels
