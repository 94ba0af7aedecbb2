// SPDX-License-Identifier: Apache-2.0
// Rounds weights for the smallest error of the layer's outputs instead of the weights (GPTQ, arXiv 2210.17323).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "converter/quantize/quantize.h"

namespace vitrine {

/// Like QuantizeRowsSymmetric and QuantizeBlocks, but later columns compensate for the rounding error of earlier ones, as
/// far as the inputs X correlate: `gram` is X^T X [columns, columns]. Rounds to the nearest step where the gram is of no
/// use (zeros, not a number).
QuantizedMatrix QuantizeRowsFor(std::span<const float> gram, const std::string& name,
                                std::span<const float> values, size_t rows, size_t columns);
Int4Matrix QuantizeBlocksFor(std::span<const float> gram, const std::string& name,
                             std::span<const float> values, size_t rows, size_t columns);

}  // namespace vitrine
