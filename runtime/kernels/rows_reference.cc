// SPDX-License-Identifier: Apache-2.0
// Quantization of rows, one element at a time.
#include "runtime/kernels/rows.h"

#include <algorithm>
#include <cmath>

namespace vitrine::kernels {
namespace {

int8_t Quantize(float value, const RowQuantizer& quantizer) {
  const float scaled = value * quantizer.inverse_scale;
  if (std::isnan(scaled)) return static_cast<int8_t>(quantizer.quantization.zero_point);
  const float q = std::nearbyint(scaled) + static_cast<float>(quantizer.quantization.zero_point);
  return static_cast<int8_t>(std::clamp(q, -128.0f, 127.0f));
}

RowQuantizer RangeOf(const float* values, size_t n) {
  float min = values[0], max = values[0];
  for (size_t i = 0; i < n; ++i) {
    if (std::isnan(values[i])) return QuantizerOf(values[i], values[i]);
    min = std::min(min, values[i]);
    max = std::max(max, values[i]);
  }
  return QuantizerOf(min, max);
}

}  // namespace

void WriteRowReference(const float* values, size_t n, const OutputRows& out, size_t row) {
  if (out.type == RowType::kF32) {
    std::copy_n(values, n, static_cast<float*>(out.data) + row * out.stride);
    return;
  }
  const RowQuantizer quantizer =
      out.type == RowType::kQd8 ? RangeOf(values, n) : QuantizerOf(out.quantization[0]);
  if (out.type == RowType::kQd8) out.quantization[row] = quantizer.quantization;
  int8_t* q = static_cast<int8_t*>(out.data) + row * out.stride;
  for (size_t i = 0; i < n; ++i) q[i] = Quantize(values[i], quantizer);
}

}  // namespace vitrine::kernels
