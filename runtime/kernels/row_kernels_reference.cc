// SPDX-License-Identifier: Apache-2.0
// The short row kernels, one element at a time, in f64 where they round.
#include "runtime/kernels/row_kernels.h"

#include <cmath>

namespace vitrine::kernels {

void PixelsToRowsReference(const PixelsToRowsArguments& a, size_t first, size_t last) {
  const size_t across = a.image_width / a.patch_width, row_bytes = a.image_width * a.channels;
  for (size_t patch = first; patch < last; ++patch) {
    const size_t top = patch / across * a.patch_height, left = patch % across * a.patch_width;
    size_t element = patch * a.out.stride;
    for (size_t y = top; y < top + a.patch_height; ++y) {
      for (size_t i = left * a.channels; i < (left + a.patch_width) * a.channels; ++i, ++element) {
        const int value = a.pixels[y * row_bytes + i] - 128;
        if (a.out.type == RowType::kF32) {
          static_cast<float*>(a.out.data)[element] = static_cast<float>(value - a.zero_point);
        }
        if (a.out.type == RowType::kQd8) {
          static_cast<int8_t*>(a.out.data)[element] = static_cast<int8_t>(value);
        }
      }
    }
    if (a.out.type == RowType::kQd8) a.out.quantization[patch] = {a.zero_point, 1.0f};
  }
}

void QuantizeRowsReference(const float* x, size_t x_stride, size_t columns, const OutputRows& out,
                           size_t first, size_t last) {
  for (size_t row = first; row < last; ++row) WriteRowReference(x + row * x_stride, columns, out, row);
}

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

void SoftmaxRowReference(const float* x, size_t n, float* out) {
  double max = x[0], sum = 0;
  for (size_t i = 0; i < n; ++i) max = x[i] > max || std::isnan(x[i]) ? x[i] : max;
  for (size_t i = 0; i < n; ++i) sum += std::exp(x[i] - max);
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<float>(std::exp(x[i] - max) / sum);
}

}  // namespace vitrine::kernels
