// SPDX-License-Identifier: Apache-2.0
// The short kernels over rows, in the order in which a model uses them.
#pragma once

#include "runtime/kernels/rows.h"

namespace vitrine::kernels {

/// Arguments of PixelsToRows. It ignores pixels after the last whole patch, at the right and the bottom.
struct PixelsToRowsArguments {
  const uint8_t* pixels = nullptr;  ///< [image_height, image_width, channels]
  size_t image_height = 0;
  size_t image_width = 0;
  size_t channels = 0;
  size_t patch_height = 0;
  size_t patch_width = 0;
  int32_t zero_point = 0;  ///< in [-128, 127]: the value of pixel - 128 that means zero
  OutputRows out;  ///< [patches, patch_height * patch_width * channels], kF32 or kQd8; patches row by row
};

/// Returns the number of patches.
constexpr size_t PatchCount(const PixelsToRowsArguments& a) {
  return (a.image_height / a.patch_height) * (a.image_width / a.patch_width);
}

/// Writes patches [first, last), each in the order (y, x, channel): kQd8 rows hold pixel - 128, with the
/// given zero point and a scale of 1; kF32 rows hold pixel - 128 - zero_point. u8 to int8 or f32, exact, for
/// all pixels; 1 load, 1 operation and 1 store per 16 bytes. Does not allocate.
void PixelsToRows(const PixelsToRowsArguments& arguments, size_t first, size_t last);

/// The same, one pixel at a time.
void PixelsToRowsReference(const PixelsToRowsArguments& arguments, size_t first, size_t last);

/// Writes rows [first, last) of x f32 [T, columns] to `out`, kQd8 or kQs8. All values are valid; columns >=
/// 1.
///
/// The result is within half a step of the value, plus 1e-4 of a step; kQs8 values out of range saturate. It
/// reads a kQd8 row twice, a kQs8 row once. Each row is computed alone, so any split over threads gives the
/// same bytes. Does not allocate.
void QuantizeRows(const float* x, size_t x_stride, size_t columns, const OutputRows& out, size_t first,
                  size_t last);

/// The same, one element at a time.
void QuantizeRowsReference(const float* x, size_t x_stride, size_t columns, const OutputRows& out,
                           size_t first, size_t last);

/// Arguments of RotateRows. Head h has the columns [h * K, h * K + K); its values i and i + K / 2 are a point
/// in the plane.
struct RotateRowsArguments {
  float* x = nullptr;  ///< [T, H * K], changed in place
  size_t x_stride = 0;
  const float* table = nullptr;  ///< [T, K]: the cosines of K / 2 angles, then their sines; for every head
  size_t H = 0;
  size_t K = 0;  ///< even
};

/// Applies rotary positions (arXiv 2104.09864) to rows [first, last): (a, b) becomes (a cos - b sin, b cos +
/// a sin). f32, for all finite values; the largest error is 2 units in the last place of the larger of |a|
/// and |b|. 2 multiplications and 2 fused multiply-adds per two values. Does not allocate.
void RotateRows(const RotateRowsArguments& arguments, size_t first, size_t last);

/// The same in f64.
void RotateRowsReference(const RotateRowsArguments& arguments, size_t first, size_t last);

/// Sets out[c] to the mean of x[r, c] over the rows r in [first, last); x f32 [T, D], out f32 [D], last >
/// first. Row r counts weights[r] times; weights are f32 [T] and positive, or null for 1. Within 1e-5 of the
/// reference for values around 10; 1 load and 1 operation per value. Does not allocate.
void MeanRows(const float* x, size_t x_stride, const float* weights, size_t D, size_t first, size_t last,
              float* out);

/// The same in f64.
void MeanRowsReference(const float* x, size_t x_stride, const float* weights, size_t D, size_t first,
                       size_t last, float* out);

/// Sets out[i] to exp(x[i] - max) divided by the sum of all exp(x[i] - max): a classifier's probabilities.
/// f32, n >= 1; out may be x. A row with a NaN, or with only -inf, becomes NaN. Within 2e-6 of its value to
/// the reference, plus 1e-12; about 25 instructions per vector. Does not allocate.
void SoftmaxRow(const float* x, size_t n, float* out);

/// The same in f64.
void SoftmaxRowReference(const float* x, size_t n, float* out);

}  // namespace vitrine::kernels
