// SPDX-License-Identifier: Apache-2.0
// Rotary positions as checkpoints have them, brought to the canonical form.
#pragma once

#include "converter/family/table.h"

namespace vitrine {

/// Returns rotary positions whose frequencies are temperature^(-4 i / K), i < K / 4; `centered` ones count in
/// half turns. Error when K is no multiple of 4.
Rotary MakeRotary(double temperature, int head_size, bool centered);

/// Orders the values of each query and key, and of their norms, so that the pairs (2 i, 2 i + 1) become
/// (i, i + K / 2). What attention gives is the same: queries and keys are ordered alike.
void PairByHalves(Block* block, const VitConfig& config);

}  // namespace vitrine
