// SPDX-License-Identifier: Apache-2.0
// Rotary positions: the frequencies that checkpoints leave to the program, the order of the rotated pairs,
// and the angles on a static grid.
#pragma once

#include <vector>

#include "converter/vit/vit.h"

namespace vitrine {

/// Returns rotary positions with the frequencies temperature^(-4 i / K), i < K / 4; times 2 pi if `centered`,
/// whose coordinates run from -1 to 1. Error when K is not a multiple of 4, or the temperature not above 0.
Rotary MakeRotary(double temperature, int head_size, bool centered);

/// Reorders the values of each query and key, and of their norms, so that the rotated pairs (2 i, 2 i + 1)
/// become (i, i + K / 2). Attention gives the same result: queries and keys change alike.
void PairByHalves(Block* block, const VitConfig& config);

/// Returns [patches, K]: for each patch, row by row, the cosines of its K / 2 angles, then their sines.
/// Computed in double.
std::vector<float> RotationTable(const VitConfig& config);

}  // namespace vitrine
