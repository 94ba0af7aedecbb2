// SPDX-License-Identifier: Apache-2.0
// The mean of rows in f64.
#include "runtime/kernels/mean_rows.h"

namespace vitrine::kernels {

void MeanRowsReference(const float* x, size_t x_stride, const float* weights, size_t D, size_t first,
                       size_t last, float* out) {
  for (size_t i = 0; i < D; ++i) {
    double sum = 0, count = 0;
    for (size_t row = first; row < last; ++row) {
      const double weight = weights == nullptr ? 1 : weights[row];
      sum += weight * x[row * x_stride + i];
      count += weight;
    }
    out[i] = static_cast<float>(sum / count);
  }
}

}  // namespace vitrine::kernels
