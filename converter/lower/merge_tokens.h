// SPDX-License-Identifier: Apache-2.0
// Token merging: from a lowered program to one that merges tokens in each block.
#pragma once

#include <span>
#include <vector>

#include "converter/lower/model_builder.h"
#include "converter/quantize/layer.h"
#include "converter/vit/vit.h"

namespace vitrine {

/// A program that merges tokens, and the layer of each of its operators.
struct MergedProgram {
  schema::LevelT level;
  std::vector<Layer> operators;
};

/// Returns the program of `model` with `merged` tokens of each block averaged into similar ones, after the attention
/// and before the MLP (Token Merging, Bolya et al. 2023, section 3). A block with less than twice as many tokens merges
/// fewer. Keys and pooled rows count as often as the number of tokens they stand for. With `merged` 0 the program stays
/// as it is. Tensors keep their indices, new ones follow; constants are the model's. `layers` are those of the model's
/// operators. Throws Error where the model has rotary or relative positions, which depend on a token's place.
MergedProgram MergeTokens(const schema::ModelT& model, std::span<const Layer> layers, const VitConfig& config,
                          int merged);

/// Throws UsageError where the first block has too few tokens to merge so many.
void CheckMerging(const VitConfig& config, int merged);

}  // namespace vitrine
