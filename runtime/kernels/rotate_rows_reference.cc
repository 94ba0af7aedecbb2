// SPDX-License-Identifier: Apache-2.0
// Rotary positions in f64, one point at a time.
#include "runtime/kernels/rotate_rows.h"

namespace vitrine::kernels {

void RotateRowsReference(const RotateRowsArguments& a, size_t first, size_t last) {
  const size_t half = a.K / 2;
  for (size_t row = first; row < last; ++row) {
    for (size_t i = 0; i < a.H * half; ++i) {
      float* x = a.x + row * a.x_stride + i / half * a.K + i % half;
      const double cosine = a.table[row * a.K + i % half], sine = a.table[row * a.K + half + i % half];
      const double one = x[0], other = x[half];
      x[0] = static_cast<float>(one * cosine - other * sine);
      x[half] = static_cast<float>(other * cosine + one * sine);
    }
  }
}

}  // namespace vitrine::kernels
