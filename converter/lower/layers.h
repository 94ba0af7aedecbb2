// SPDX-License-Identifier: Apache-2.0
// A layer's way from the checkpoint to operators: load, fold, lower. One layer's f32 weights are in memory at
// a time.
#pragma once

#include "converter/vit/vit.h"
#include "converter/lower/lower.h"

namespace vitrine {

void LowerEmbedding(const Vit& vit, Lowering* lowering);
/// With the plan's smoothing.
void LowerBlock(const Vit& vit, int index, const Plan& plan, Lowering* lowering);
void LowerHead(const Vit& vit, Lowering* lowering);

/// The embedding (0), a block (1 to L) or the head (L + 1).
void LowerSegment(const Vit& vit, int segment, const Plan& plan, Lowering* lowering);

}  // namespace vitrine
