// SPDX-License-Identifier: Apache-2.0
// The function between the two linear layers of an MLP, and the quantization of its result.
#pragma once

#include "runtime/kernels/rows.h"

namespace vitrine::kernels {

enum class Activation : uint8_t {
  kIdentity,
  kGeluErf,    ///< x * Phi(x), Phi the normal distribution (torch's nn.GELU)
  kGeluTanh,   ///< x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))
  kQuickGelu,  ///< x * sigmoid(1.702 * x)
  kSilu,       ///< x * sigmoid(x)
  kRelu,
  kTanh,
};

/// Arguments of ActivationRows.
struct ActivationRowsArguments {
  const float* x = nullptr;  ///< f32 [T, M], or [T, 2 * M] when gated
  size_t x_stride = 0;
  size_t M = 0;
  Activation activation = Activation::kIdentity;
  bool gated = false;  ///< out = activation(first M) * second M, as in SwiGLU
  OutputRows out;      ///< [T, M]; f32 rows may be those of x when not gated
};

/// Writes activation(x) for the rows [first, last). `scratch` is RowScratchBytes(M) of the calling thread.
///
/// The error is at most 2e-6 times the larger of 1/2 and |x| in f32, and 0.56 steps in int8. All values are
/// valid. GELU to int8 costs 15 instructions per vector, the other functions about 25. Each row is computed
/// alone, so any split over threads gives the same bytes. Does not allocate.
void ActivationRows(const ActivationRowsArguments& arguments, size_t first, size_t last, void* scratch);

/// The same in f64, one element at a time.
void ActivationRowsReference(const ActivationRowsArguments& arguments, size_t first, size_t last,
                             void* scratch);

/// Returns activation(x) in f64. It fills the tables of ActivationTable and is the reference of
/// ActivationRows.
double ExactActivation(Activation activation, double x);

/// Sets out[i] to table[x[i] + 128] for i in [0, n): any function of int8, as between two static int8 linear
/// layers. The table has 256 entries; `out` may be x. Exact; 16 NEON instructions per 16 bytes on 64-bit ARM.
/// Does not allocate.
void TableBytes(const int8_t* x, size_t n, const int8_t* table, int8_t* out);

/// The same, one element at a time.
void TableBytesReference(const int8_t* x, size_t n, const int8_t* table, int8_t* out);

}  // namespace vitrine::kernels
