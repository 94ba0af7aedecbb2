// SPDX-License-Identifier: Apache-2.0
// The function between the two linear layers of an MLP, and quantization of what it gives.
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

/// What ActivationRows works on.
struct ActivationRowsArguments {
  const float* x = nullptr;  ///< f32 [T, M], or [T, 2 * M] where gated
  size_t x_stride = 0;
  size_t M = 0;
  Activation activation = Activation::kIdentity;
  bool gated = false;  ///< out = activation(first M) * second M, as in SwiGLU
  OutputRows out;      ///< [T, M]; f32 rows may be x's own where not gated
};

/// Writes activation(x) for rows [first, last). `scratch` is RowScratchBytes(M) of the calling thread's.
///
/// A row is computed by itself, so any split over threads gives the same bytes. Does not allocate.
void ActivationRows(const ActivationRowsArguments& arguments, size_t first, size_t last, void* scratch);

/// The same in f64, one element at a time.
void ActivationRowsReference(const ActivationRowsArguments& arguments, size_t first, size_t last,
                             void* scratch);

/// Returns the exact activation(x).
double ExactActivation(Activation activation, double x);

/// Writes out[i] = table[x[i] + 128] for i in [0, n); `out` may be x. The table has 256 entries. Exact, 16
/// NEON instructions for 16 bytes on 64-bit ARM. Does not allocate.
void TableBytes(const int8_t* x, size_t n, const int8_t* table, int8_t* out);

/// The same, one element at a time.
void TableBytesReference(const int8_t* x, size_t n, const int8_t* table, int8_t* out);

}  // namespace vitrine::kernels
