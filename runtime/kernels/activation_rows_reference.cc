// SPDX-License-Identifier: Apache-2.0
// The activation functions as their formulas say, in f64.
#include <cmath>
#include <numbers>

#include "runtime/kernels/activation_rows.h"
#include "runtime/kernels/reference.h"

namespace vitrine::kernels {

double ActivationReference(Activation activation, double x) {
  switch (activation) {
    case Activation::kIdentity:
      return x;
    case Activation::kGeluErf:
      return 0.5 * x * std::erfc(-x * std::numbers::sqrt2 / 2);
    case Activation::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Activation::kQuickGelu:
      return x / (1 + std::exp(-1.702 * x));
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
    case Activation::kRelu:
      return x < 0 ? 0 : x;
    case Activation::kTanh:
      return std::tanh(x);
  }
  return x;
}

void ActivationRowsReference(const ActivationRowsArguments& a, size_t first, size_t last, void* scratch) {
  float* y = static_cast<float*>(scratch);
  for (size_t row = first; row < last; ++row) {
    const float* x = a.x + row * a.x_stride;
    for (size_t i = 0; i < a.M; ++i) {
      const double value = ActivationReference(a.activation, x[i]);
      y[i] = static_cast<float>(a.gated ? value * x[a.M + i] : value);
    }
    WriteRowReference(y, a.M, a.out, row);
  }
}

}  // namespace vitrine::kernels
