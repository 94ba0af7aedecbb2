// SPDX-License-Identifier: Apache-2.0
// Activations of rows in f64, and tables of int8, one element at a time.
#include "runtime/kernels/activation_rows.h"

namespace vitrine::kernels {

void ActivationRowsReference(const ActivationRowsArguments& a, size_t first, size_t last, void* scratch) {
  float* y = static_cast<float*>(scratch);
  for (size_t row = first; row < last; ++row) {
    const float* x = a.x + row * a.x_stride;
    for (size_t i = 0; i < a.M; ++i) {
      const double value = ExactActivation(a.activation, x[i]);
      y[i] = static_cast<float>(a.gated ? value * x[a.M + i] : value);
    }
    WriteRowReference(y, a.M, a.out, row);
  }
}

void TableBytesReference(const int8_t* x, size_t n, const int8_t* table, int8_t* out) {
  for (size_t i = 0; i < n; ++i) out[i] = table[x[i] + 128];
}

}  // namespace vitrine::kernels
