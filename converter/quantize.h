// SPDX-License-Identifier: Apache-2.0
// Weights in int8: symmetric, one scale for each output channel.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vitrine {

/// value = values[row, column] * scales[row]; values in [-127, 127] since XNNPACK's NEON kernels add two
/// products in 16 bits.
struct QuantizedMatrix {
  size_t rows = 0, columns = 0;
  std::vector<int8_t> values;
  std::vector<float> scales;
};

/// Returns `values` [rows, columns] with each row rounded to the nearest of its 255 steps; a row of zeros
/// gets the scale 1. Throws Error naming `name` when a value is not finite.
QuantizedMatrix QuantizeRowsSymmetric(const std::string& name, std::span<const float> values, size_t rows,
                                      size_t columns);

}  // namespace vitrine
