// SPDX-License-Identifier: Apache-2.0
// Softmax in f64.
#include <cmath>

#include "runtime/kernels/softmax_row.h"

namespace vitrine::kernels {

void SoftmaxRowReference(const float* x, size_t n, float* out) {
  double max = x[0], sum = 0;
  for (size_t i = 0; i < n; ++i) max = x[i] > max || std::isnan(x[i]) ? x[i] : max;
  for (size_t i = 0; i < n; ++i) sum += std::exp(x[i] - max);
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<float>(std::exp(x[i] - max) / sum);
}

}  // namespace vitrine::kernels
