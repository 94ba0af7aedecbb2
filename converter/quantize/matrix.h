// SPDX-License-Identifier: Apache-2.0
// Products of f32 matrices, for measuring the error of a choice.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace vitrine {

/// A matrix in borrowed memory: row r begins at data + r * stride.
struct MatrixView {
  const float* data;
  size_t rows, columns, stride;
};

/// Writes a b^T, [a.rows, b.rows], to `out`, whose rows are `out_stride` apart; a.columns = b.columns. `threads` 0 means
/// one for each CPU core. The number of threads does not change the result, since each element is one chain of fused
/// multiply-adds.
void MultiplyTransposed(const MatrixView& a, const MatrixView& b, float* out, size_t out_stride, int threads);

/// Returns x^T x, [columns, columns].
std::vector<float> Gram(const MatrixView& x, int threads);

/// Replaces the symmetric positive definite `matrix` [n, n] by the upper triangle U with U^T U = matrix^-1.
/// Returns false where it is not positive definite.
bool InverseCholesky(std::span<float> matrix, size_t n, int threads);

}  // namespace vitrine
