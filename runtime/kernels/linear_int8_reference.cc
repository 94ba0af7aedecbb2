// SPDX-License-Identifier: Apache-2.0
// The int8 linear layer, one element at a time.
#include "runtime/kernels/linear_int8.h"

namespace vitrine::kernels {

void LinearInt8Reference(const LinearInt8Arguments& a, const LinearInt8Weights& w, size_t first_row,
                         size_t last_row) {
  for (size_t t = first_row; t < last_row; ++t) {
    const RowQuantization& q = a.quantization[t];
    for (size_t n = 0; n < w.N; ++n) {
      double sum = 0;
      for (size_t k = 0; k < w.K; ++k)
        sum += (a.input[t * a.input_stride + k] - q.zero_point) * w.weight[n * w.K + k];
      const double bias = w.bias != nullptr ? double{w.bias[n]} : 0.0;
      a.out[t * a.out_stride + n] = static_cast<float>(sum * double{q.scale} * double{w.scales[n]} + bias);
    }
  }
}

}  // namespace vitrine::kernels
