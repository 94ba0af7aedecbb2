// SPDX-License-Identifier: Apache-2.0
// Residual addition and LayerNorm by their formula, in f64.
#include <cmath>

#include "runtime/kernels/norm_rows.h"

namespace vitrine::kernels {

void NormRowsReference(const NormRowsArguments& a, size_t first, size_t last, void* scratch) {
  float* y = static_cast<float*>(scratch);
  for (size_t row = first; row < last; ++row) {
    float* x = a.x + row * a.x_stride;
    if (a.delta != nullptr) {
      for (size_t i = 0; i < a.D; ++i) x[i] += a.delta[row * a.delta_stride + i];
    }
    double mean = 0, variance = 0;
    for (size_t i = 0; i < a.D; ++i) mean += x[i];
    mean /= static_cast<double>(a.D);
    for (size_t i = 0; i < a.D; ++i) variance += (x[i] - mean) * (x[i] - mean);
    variance /= static_cast<double>(a.D);
    for (size_t i = 0; i < a.D; ++i) {
      const double normal = (x[i] - mean) / std::sqrt(variance + a.epsilon);
      y[i] = static_cast<float>(normal * (a.gamma ? a.gamma[i] : 1.0) + (a.beta ? a.beta[i] : 0.0));
    }
    WriteRowReference(y, a.D, a.out, row);
  }
}

}  // namespace vitrine::kernels
