// SPDX-License-Identifier: Apache-2.0
#include "tests/support/small_vit.h"

#include "tests/support/tiny_model.h"

namespace vitrine::testing {
namespace {

/// Draws weights from one sequence.
class Weights {
 public:
  explicit Weights(uint32_t seed) : seed_(seed) {}

  std::vector<float> Values(int count, float deviation) {
    return RandomValues(static_cast<size_t>(count), deviation, seed_++);
  }

  LinearWeights Linear(int outputs, int inputs) {
    return {outputs, inputs, Values(outputs * inputs, 0.3f), Values(outputs, 0.1f)};
  }

  Norm Affine(int size) {
    Norm norm{Values(size, 0.1f), Values(size, 0.1f), 1e-6f};
    for (float& gamma : norm.gamma) gamma += 1;
    return norm;
  }

 private:
  uint32_t seed_;
};

Embedding EmbeddingOf(const VitConfig& c) {
  Weights weights(1);
  Embedding embedding;
  embedding.patch = weights.Linear(c.width, c.channels * c.patch_height * c.patch_width);
  embedding.positions = weights.Values(c.tokens() * c.width, 0.5f);
  return embedding;
}

Block BlockOf(const VitConfig& c, int index, bool inner_norms) {
  Weights weights(100 * static_cast<uint32_t>(index + 1));
  Block block;
  block.norm1 = weights.Affine(c.width);
  block.qkv = weights.Linear(3 * c.width, c.width);
  block.projection = weights.Linear(c.width, c.width);
  block.norm2 = weights.Affine(c.width);
  block.fc1 = weights.Linear((c.gated_mlp ? 2 : 1) * c.mlp_width, c.width);
  block.fc2 = weights.Linear(c.width, c.mlp_width);
  if (inner_norms) {
    block.attention_norm = weights.Affine(c.width);
    block.mlp_norm = weights.Affine(c.mlp_width);
  }
  return block;
}

Head HeadOf(const VitConfig& c) {
  Weights weights(1000);
  Head head;
  head.norm = weights.Affine(c.width);
  if (c.pooling == Pooling::kAttention) {
    head.query = weights.Values(c.width, 0.5f);
    head.key_value = weights.Linear(2 * c.width, c.width);
    head.projection = weights.Linear(c.width, c.width);
    head.mlp_norm = weights.Affine(c.width);
    head.fc1 = weights.Linear(c.mlp_width, c.width);
    head.fc2 = weights.Linear(c.width, c.mlp_width);
  }
  if (c.classes > 0) head.classifier = weights.Linear(c.classes, c.width);
  return head;
}

}  // namespace

VitConfig SmallConfig() {
  VitConfig config;
  config.family = "small";
  config.image_height = config.image_width = 8;
  config.patch_height = config.patch_width = 2;
  config.width = 32;
  config.depth = 2;
  config.heads = 2;
  config.head_size = 16;
  config.mlp_width = 64;
  config.attention_scale = 0.25;
  config.classes = 3;
  return config;
}

Vit SmallVit(const VitConfig& config, bool inner_norms) {
  Vit vit;
  vit.config = config;
  vit.image.resize_height = config.image_height;
  vit.image.resize_width = config.image_width;
  vit.image.mean = vit.image.deviation = {0.5f, 0.5f, 0.5f};
  vit.labels = {"cat", "dog", "fish"};
  vit.load_embedding = [config] { return EmbeddingOf(config); };
  vit.load_block = [config, inner_norms](int index) { return BlockOf(config, index, inner_norms); };
  vit.load_head = [config] { return HeadOf(config); };
  return vit;
}

}  // namespace vitrine::testing
