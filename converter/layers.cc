// SPDX-License-Identifier: Apache-2.0
#include "converter/layers.h"

#include "converter/fold.h"

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

void LowerBlock(const Vit& vit, int index, Lowering* lowering) {
  Block block = vit.load_block(index);
  FoldBlock(&block, vit.config, kNormShare);
  lowering->AddBlock(index, block);
}

void LowerHead(const Vit& vit, Lowering* lowering) {
  Head head = vit.load_head();
  FoldHead(&head, vit.config);
  lowering->AddHead(head);
}

}  // namespace vitrine
