// SPDX-License-Identifier: Apache-2.0
// The scale and zero point of a row, from its range.
#include "runtime/kernels/rows.h"

#include <algorithm>
#include <cmath>

namespace vitrine::kernels {

RowQuantizer QuantizerOf(float min, float max) {
  min = std::min(0.0f, min);
  max = std::max(0.0f, max);
  const float half_range = 0.5f * max - 0.5f * min;
  if (!(half_range <= 3e38f)) return {{0, half_range}, 0.0f};
  if (half_range < 0.5e-30f) return {{127, 1.0f}, 1.0f};
  const float inverse_scale = 127.5f / half_range;
  const float low = min * inverse_scale, high = max * inverse_scale;
  // The end nearer to zero keeps its value best when the zero point is rounded.
  const float zero_point = low + high > 1.0f ? -128.0f - low : 127.0f - high;
  const float nearest = std::nearbyint(std::clamp(zero_point, -128.0f, 127.0f));
  return {{static_cast<int32_t>(nearest), half_range / 127.5f}, inverse_scale};
}

RowQuantizer QuantizerOf(const RowQuantization& fixed) { return {fixed, 1.0f / fixed.scale}; }

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
