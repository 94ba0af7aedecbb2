// SPDX-License-Identifier: Apache-2.0
// Weights in int8: symmetric, one scale for each output channel; and in 4 bits, one scale for
// each block of inputs.
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

/// value = (q - 8) * scale of the row's block of kInt4Block columns.
struct Int4Matrix {
  size_t rows = 0, columns = 0;
  std::vector<uint8_t> values;         ///< [rows, columns] of 0 to 15, a byte each
  std::vector<uint16_t> block_scales;  ///< [rows, columns / kInt4Block], bfloat16
};

/// Returns `values` [rows, columns] with each row rounded to the nearest of its 255 steps; a row of zeros
/// gets the scale 1. Throws Error naming `name` when a value is not finite.
QuantizedMatrix QuantizeRowsSymmetric(const std::string& name, std::span<const float> values, size_t rows,
                                      size_t columns);

/// The nearest bfloat16 that is finite and above zero, and back.
uint16_t ToBfloat16(float value);
float FromBfloat16(uint16_t value);

/// The nearest of 16 steps: (result - 8) * scale.
uint8_t RoundInt4(float value, float scale);
/// Returns the scale, as bfloat16, that loses least of the block's values when they are rounded to the
/// nearest step.
uint16_t BlockScale(std::span<const float> block);

/// Returns `values` with each block of a row rounded to the nearest of its 16 steps, whose size is the
/// one of a few that loses least; columns a multiple of kInt4Block. Throws Error naming `name` when a
/// value is not finite.
Int4Matrix QuantizeBlocks(const std::string& name, std::span<const float> values, size_t rows,
                          size_t columns);

}  // namespace vitrine
