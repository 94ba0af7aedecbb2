// SPDX-License-Identifier: Apache-2.0
#include "converter/lower/layers.h"

#include "converter/vit/fold.h"

namespace vitrine {
namespace {

// Half of each LayerNorm's gamma goes into the weights behind it and half stays: on DINOv2-S that gives 1.7
// dB more than all of it in the weights, and 0.2 more than none.
constexpr float kNormShare = 0.5f;

}  // namespace

void LowerEmbedding(const Vit& vit, Lowering* lowering) {
  const VitConfig& config = vit.config;
  const Embedding embedding = vit.load_embedding();
  int zero_point = 0;
  const LinearWeights patch = FoldPixels(embedding.patch, vit.image, config.patch_height, config.patch_width,
                                         config.channels, &zero_point);
  lowering->AddEmbedding(embedding, patch, zero_point);
}

void LowerBlock(const Vit& vit, int index, const Plan& plan, Lowering* lowering) {
  Block block = vit.load_block(index);
  FoldBlock(&block, vit.config, kNormShare);
  const std::string prefix = "block " + std::to_string(index + 1) + " ";
  const auto factors = [&](const char* rows) -> std::span<const float> {
    const auto found = plan.smoothing.find(prefix + rows);
    return found == plan.smoothing.end() ? std::span<const float>{} : found->second;
  };
  SmoothNorm(&block.norm1, &block.qkv, factors("norm1"));
  SmoothNorm(&block.norm2, &block.fc1, factors("norm2"));
  SmoothNorm(&block.attention_norm, &block.projection, factors("attention norm"));
  SmoothNorm(&block.mlp_norm, &block.fc2, factors("mlp norm"));
  SmoothRows(&block.qkv, 2 * vit.config.heads * vit.config.head_size, &block.projection,
             factors("attention"));
  SmoothRows(&block.fc1, vit.config.mlp_width, &block.fc2, factors("activation"));
  lowering->AddBlock(index, block);
}

void LowerHead(const Vit& vit, Lowering* lowering) {
  Head head = vit.load_head();
  FoldHead(&head, vit.config);
  lowering->AddHead(head);
}

void LowerSegment(const Vit& vit, int segment, const Plan& plan, Lowering* lowering) {
  if (segment == 0) {
    LowerEmbedding(vit, lowering);
  } else if (segment <= vit.config.depth) {
    LowerBlock(vit, segment - 1, plan, lowering);
  } else {
    LowerHead(vit, lowering);
  }
}

}  // namespace vitrine
