// SPDX-License-Identifier: Apache-2.0
// Softmax of one f32 row: a classifier's probabilities.
#pragma once

#include <cstddef>

namespace vitrine::kernels {

/// out[i] = exp(x[i] - max) / sum over i of that. n >= 1; out may be x. Does not allocate.
/// A row that holds a NaN, or only -inf, becomes NaN.
void SoftmaxRow(const float* x, size_t n, float* out);

/// The same in f64.
void SoftmaxRowReference(const float* x, size_t n, float* out);

}  // namespace vitrine::kernels
