// SPDX-License-Identifier: Apache-2.0
// Rounding of weights that makes the layer's outputs nearest, not the weights (GPTQ, arXiv 2210.17323).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "converter/quantize/quantize.h"

namespace vitrine {

/// As QuantizeRowsSymmetric and QuantizeBlocks, but what rounding a column loses is made up for by the
/// columns after it, as far as the inputs X are alike in them: `gram` is X^T X [columns, columns]. Where that
/// is of no use (zeros, not a number), they are rounded to the nearest.
QuantizedMatrix QuantizeRowsFor(std::span<const float> gram, const std::string& name,
                                std::span<const float> values, size_t rows, size_t columns);
Int4Matrix QuantizeBlocksFor(std::span<const float> gram, const std::string& name,
                             std::span<const float> values, size_t rows, size_t columns);

}  // namespace vitrine
