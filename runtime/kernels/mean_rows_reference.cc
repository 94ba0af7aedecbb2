// SPDX-License-Identifier: Apache-2.0
// The mean of rows in f64.
#include "runtime/kernels/mean_rows.h"

namespace vitrine::kernels {

void MeanRowsReference(const float* x, size_t x_stride, size_t D, size_t first, size_t last, float* out) {
  for (size_t i = 0; i < D; ++i) {
    double sum = 0;
    for (size_t row = first; row < last; ++row) sum += x[row * x_stride + i];
    out[i] = static_cast<float>(sum / static_cast<double>(last - first));
  }
}

}  // namespace vitrine::kernels
