// SPDX-License-Identifier: Apache-2.0
// The mean of rows: global pooling.
#pragma once

#include <cstddef>

namespace vitrine::kernels {

/// out[c] = mean over rows r in [first, last) of x[r, c]; x f32 [T, D], out f32 [D], last > first. With
/// weights f32 [T], each above zero, or null: row r counts weights[r] times. Does not allocate.
void MeanRows(const float* x, size_t x_stride, const float* weights, size_t D, size_t first, size_t last,
              float* out);

/// The same in f64.
void MeanRowsReference(const float* x, size_t x_stride, const float* weights, size_t D, size_t first,
                       size_t last, float* out);

}  // namespace vitrine::kernels
