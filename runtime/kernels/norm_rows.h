// SPDX-License-Identifier: Apache-2.0
// Residual addition, LayerNorm and quantization of rows in as few passes over memory as can be.
#pragma once

#include "runtime/kernels/rows.h"

namespace vitrine::kernels {

/// What NormRows works on. x and delta are f32 [T, D]; gamma and beta f32 [D].
struct NormRowsArguments {
  float* x = nullptr;
  size_t x_stride = 0;
  const float* delta = nullptr;  ///< none: x is left as it is
  size_t delta_stride = 0;
  size_t D = 0;
  float epsilon = 0;
  const float* gamma = nullptr;  ///< none: 1
  const float* beta = nullptr;   ///< none: 0
  OutputRows out;                ///< [T, D]; f32 rows may be x's own
};

/// For rows r in [first, last): x[r] += delta[r], then out[r] = (x[r] - mean) / sqrt(variance + epsilon) *
/// gamma + beta, where mean and (population) variance are those of x[r] (Ba, Kiros, Hinton 2016).
/// `scratch` is RowScratchBytes(D) of the calling thread's.
///
/// A row is computed by itself, so any split over threads gives the same bytes. Does not allocate.
void NormRows(const NormRowsArguments& arguments, size_t first, size_t last, void* scratch);

/// The same in f64, one element at a time.
void NormRowsReference(const NormRowsArguments& arguments, size_t first, size_t last, void* scratch);

}  // namespace vitrine::kernels
