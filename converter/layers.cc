// SPDX-License-Identifier: Apache-2.0
#include "converter/layers.h"

#include "converter/fold.h"

namespace vitrine {

void LowerEmbedding(const Vit& vit, Lowering* lowering) {
  const VitConfig& config = vit.config;
  const Embedding embedding = vit.load_embedding();
  int zero_point = 0;
  const LinearWeights patch =
      FoldPixels(embedding.patch, vit.image, config.patch_height, config.patch_width, config.channels, &zero_point);
  lowering->AddEmbedding(embedding, patch, zero_point);
}

void LowerBlock(const Vit& vit, int index, Lowering* lowering) {
  Block block = vit.load_block(index);
  FoldBlock(&block, vit.config);
  lowering->AddBlock(index, block);
}

void LowerHead(const Vit& vit, Lowering* lowering) {
  Head head = vit.load_head();
  FoldHead(&head, vit.config);
  lowering->AddHead(head);
}

}  // namespace vitrine
