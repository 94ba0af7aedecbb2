// SPDX-License-Identifier: Apache-2.0
// Weights in int8, symmetric with one scale for each output channel, and in 4 bits with one scale for each block of
// inputs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vitrine {

/// value = values[row, column] * scales[row]. Values are in [-127, 127], since XNNPACK's NEON kernels add two products in
/// 16 bits.
struct QuantizedMatrix {
  size_t rows = 0, columns = 0;
  std::vector<int8_t> values;
  std::vector<float> scales;
};

/// value = (values[row, column] - 8) * scale of the row's block of kInt4Block columns.
struct Int4Matrix {
  size_t rows = 0, columns = 0;
  std::vector<uint8_t> values;         ///< [rows, columns], each from 0 to 15
  std::vector<uint16_t> block_scales;  ///< [rows, columns / kInt4Block], bfloat16
};

/// Rounds `values` [rows, columns] to the nearest of the 255 steps of their row. A row of zeros has the scale 1. Throws
/// Error with `name` when a value is not finite.
QuantizedMatrix QuantizeRowsSymmetric(const std::string& name, std::span<const float> values, size_t rows,
                                      size_t columns);

/// Converts a finite value above zero to the nearest bfloat16, and back.
uint16_t ToBfloat16(float value);
float FromBfloat16(uint16_t value);

/// Returns the nearest of 16 steps: value = (result - 8) * scale.
uint8_t RoundInt4(float value, float scale);
/// Returns the scale, as bfloat16, of the smallest square error when the block's values are rounded to the nearest step.
uint16_t BlockScale(std::span<const float> block);

/// Rounds `values` [rows, columns] to the nearest of the 16 steps of their block; the scales are those of BlockScale.
/// `columns` must be a multiple of kInt4Block. Throws Error with `name` when a value is not finite.
Int4Matrix QuantizeBlocks(const std::string& name, std::span<const float> values, size_t rows,
                          size_t columns);

/// Like QuantizeRowsSymmetric and QuantizeBlocks, but later columns compensate for the rounding error of earlier ones, as
/// far as the inputs X correlate: `gram` is X^T X [columns, columns]. Rounds to the nearest step where the gram is of no
/// use (zeros, not a number).
QuantizedMatrix QuantizeRowsFor(std::span<const float> gram, const std::string& name,
                                std::span<const float> values, size_t rows, size_t columns);
Int4Matrix QuantizeBlocksFor(std::span<const float> gram, const std::string& name,
                             std::span<const float> values, size_t rows, size_t columns);

}  // namespace vitrine
