// SPDX-License-Identifier: Apache-2.0
// Token merging: from a lowered program to one that merges tokens in each block.
#pragma once

#include "converter/vit/vit.h"
#include "converter/lower/model_builder.h"

namespace vitrine {

/// Returns the program of `model` with `merged` tokens a block averaged into others, behind the attention and
/// before the MLP (Token Merging, Bolya et al. 2023, section 3), fewer where a block has not twice as many;
/// keys and pooled rows count as often as they stand for a token. Where `merged` is 0, the program as it is.
/// Tensors keep their indices, new ones come behind; constants are the model's. Throws Error where the
/// model's positions are rotary or relative, which belong to a token's place and not to its content.
schema::LevelT MergeTokens(const schema::ModelT& model, const VitConfig& config, int merged);

/// Throws UsageError where the first block has not so many tokens to merge.
void CheckMerging(const VitConfig& config, int merged);

}  // namespace vitrine
