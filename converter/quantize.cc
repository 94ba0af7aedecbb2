// SPDX-License-Identifier: Apache-2.0
#include "converter/quantize.h"

#include <algorithm>
#include <cmath>

#include "converter/finite.h"

namespace vitrine {
namespace {

constexpr float kLargest = 127.0f;
// Rows smaller than this are zeros for all that int8 can tell, and their scale would vanish.
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
      // Adding and taking away 1.5 * 2^23 rounds to the nearest whole number, ties to even, and vectorizes.
      constexpr float kRound = 12582912.0f;
      const float rounded = (row[c] * inverse + kRound) - kRound;
      out[c] = static_cast<int8_t>(static_cast<int>(std::clamp(rounded, -kLargest, kLargest)));
    }
    matrix.scales[r] = scale;
  }
  return matrix;
}

}  // namespace vitrine
