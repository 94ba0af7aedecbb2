// SPDX-License-Identifier: Apache-2.0
#include "converter/quantize/quantize.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "converter/error.h"
#include "runtime/program/program.h"

namespace vitrine {
namespace {

constexpr float kLargest = 127.0f;
// Rows below this count as zeros: their scale would be no normal number.
constexpr float kSmallestMagnitude = 1e-30f;

float LargestMagnitude(std::span<const float> values) {
  float largest = 0;
  for (const float v : values) largest = std::max(largest, std::fabs(v));
  return largest;
}

}  // namespace

QuantizedMatrix QuantizeRowsSymmetric(const std::string& name, std::span<const float> values, size_t rows,
                                      size_t columns) {
  CheckFinite(name, values);
  QuantizedMatrix matrix{rows, columns, std::vector<int8_t>(rows * columns), std::vector<float>(rows)};
  for (size_t r = 0; r < rows; ++r) {
    const std::span<const float> row = values.subspan(r * columns, columns);
    const float largest = LargestMagnitude(row);
    const float scale = largest > kSmallestMagnitude ? largest / kLargest : 1.0f;
    const float inverse = 1.0f / scale;
    int8_t* out = matrix.values.data() + r * columns;
    for (size_t c = 0; c < columns; ++c) {
      // Adding and subtracting 1.5 * 2^23 rounds to the nearest whole number, ties to even. This vectorizes.
      constexpr float kRound = 12582912.0f;
      const float rounded = (row[c] * inverse + kRound) - kRound;
      out[c] = static_cast<int8_t>(static_cast<int>(std::clamp(rounded, -kLargest, kLargest)));
    }
    matrix.scales[r] = scale;
  }
  return matrix;
}

uint16_t ToBfloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float FromBfloat16(uint16_t value) { return std::bit_cast<float>(uint32_t{value} << 16); }

uint16_t BlockScale(std::span<const float> block) {
  // The largest magnitude is between 6 and 8.2 steps: smaller steps clip it and round all other values better.
  float extreme = 0;
  for (const float v : block) extreme = std::fabs(v) > std::fabs(extreme) ? v : extreme;
  if (std::fabs(extreme) < kSmallestMagnitude) return ToBfloat16(1.0f);
  uint16_t best = 0;
  double least = 0;
  for (int i = 0; i < 12; ++i) {
    const uint16_t candidate = ToBfloat16(std::fabs(extreme) / (6.0f + 0.2f * static_cast<float>(i)));
    const float scale = FromBfloat16(candidate);
    double error = 0;
    for (const float v : block) {
      const float difference = v - (static_cast<float>(RoundInt4(v, scale)) - 8) * scale;
      error += double{difference} * double{difference};
    }
    if (best == 0 || error < least) best = candidate, least = error;
  }
  return best;
}

uint8_t RoundInt4(float value, float scale) {
  return static_cast<uint8_t>(std::clamp(std::nearbyint(value / scale) + 8.0f, 0.0f, 15.0f));
}

Int4Matrix QuantizeBlocks(const std::string& name, std::span<const float> values, size_t rows,
                          size_t columns) {
  CheckFinite(name, values);
  Int4Matrix matrix{rows, columns, std::vector<uint8_t>(rows * columns), {}};
  for (size_t first = 0; first < values.size(); first += kInt4Block) {
    const std::span<const float> block = values.subspan(first, kInt4Block);
    matrix.block_scales.push_back(BlockScale(block));
    const float scale = FromBfloat16(matrix.block_scales.back());
    for (size_t i = 0; i < kInt4Block; ++i) matrix.values[first + i] = RoundInt4(block[i], scale);
  }
  return matrix;
}

}  // namespace vitrine
