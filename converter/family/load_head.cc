// SPDX-License-Identifier: Apache-2.0
// Loads the head of a checkpoint in the canonical layout: pooling, pooler and classifier.
#include <utility>

#include "converter/family/reader.h"

namespace vitrine {
namespace {

using Bias = Reader::Bias;

/// Returns two heads, whose mean is the output, as one head that reads both tokens: [C, 2 D], halved.
LinearWeights JoinHeads(const LinearWeights& a, const LinearWeights& b) {
  LinearWeights joined{a.outputs, a.inputs + b.inputs, {}, {}};
  for (int o = 0; o < a.outputs && !a.weight.empty(); ++o) {
    for (const LinearWeights* head : {&a, &b}) {
      const float* row = &head->weight[static_cast<size_t>(o) * head->inputs];
      for (int i = 0; i < head->inputs; ++i) joined.weight.push_back(row[i] / 2);
    }
    joined.bias.push_back((a.bias[o] + b.bias[o]) / 2);
  }
  return joined;
}

/// Without classes, timm returns the mean of class and distillation token.
LinearWeights MeanOfTwo(int width, bool check_only) {
  LinearWeights mean{width, 2 * width, {}, {}};
  if (check_only) return mean;
  mean.weight.resize(static_cast<size_t>(width) * mean.inputs);
  for (int i = 0; i < width; ++i) {
    mean.weight[static_cast<size_t>(i) * mean.inputs + i] = 0.5f;
    mean.weight[static_cast<size_t>(i) * mean.inputs + width + i] = 0.5f;
  }
  return mean;
}

/// Returns the learnt query of attention pooling after its projection.
std::vector<float> Project(const LinearWeights& projection, std::span<const float> latent) {
  std::vector<float> query(projection.bias);
  query.resize(projection.outputs);
  for (int o = 0; o < projection.outputs; ++o) {
    double sum = query[o];
    for (int i = 0; i < projection.inputs; ++i) {
      sum +=
          static_cast<double>(projection.weight[static_cast<size_t>(o) * projection.inputs + i]) * latent[i];
    }
    query[o] = static_cast<float>(sum);
  }
  return query;
}

/// Removes the first `outputs` rows of `linear` and returns them.
LinearWeights TakeRows(LinearWeights* linear, int outputs) {
  LinearWeights first{outputs, linear->inputs, {}, {}};
  linear->outputs -= outputs;
  if (linear->weight.empty()) return first;
  const ptrdiff_t weights = static_cast<ptrdiff_t>(outputs) * linear->inputs;
  first.weight.assign(linear->weight.begin(), linear->weight.begin() + weights);
  linear->weight.erase(linear->weight.begin(), linear->weight.begin() + weights);
  if (linear->bias.empty()) return first;
  first.bias.assign(linear->bias.begin(), linear->bias.begin() + outputs);
  linear->bias.erase(linear->bias.begin(), linear->bias.begin() + outputs);
  return first;
}

void LoadAttentionPool(Reader& reader, const VitConfig& config, Head* head) {
  const int width = config.width;
  const std::vector<float> latent = reader.RequireRows(Slot::kLatent, 1, width);
  LinearWeights projection;
  if (reader.names().Has(Slot::kLatentQkv)) {
    head->key_value = reader.ReadLinear(Slot::kLatentQkv, 3 * width, width, Bias::kAlways);
    projection = TakeRows(&head->key_value, width);
  } else {
    projection = reader.ReadLinear(Slot::kLatentQuery, width, width, Bias::kAlways);
    head->key_value = reader.ReadLinear(Slot::kLatentKeyValue, 2 * width, width, Bias::kAlways);
  }
  if (!reader.check_only()) head->query = Project(projection, latent);
  head->projection = reader.ReadLinear(Slot::kLatentProjection, width, width, Bias::kAlways);
  head->mlp_norm = reader.RequireNorm(Slot::kLatentNorm, width, config.norm_epsilon);
  head->fc1 = reader.ReadLinear(Slot::kLatentFc1, config.mlp_width, width, Bias::kAlways);
  head->fc2 = reader.ReadLinear(Slot::kLatentFc2, width, config.mlp_width, Bias::kAlways);
}

/// Returns the width of the pooled vector.
int PooledWidth(const VitConfig& config) {
  const bool two =
      config.pooling == Pooling::kClassAndDistillation || config.pooling == Pooling::kClassAndPatchMean;
  return two ? 2 * config.width : config.width;
}

}  // namespace

Head LoadHead(Reader reader, const Layout& layout) {
  const VitConfig& config = layout.config;
  const Names& names = reader.names();
  Head head;
  if (layout.final_norm && (names.Has(Slot::kNorm) || !names.Has(Slot::kPoolNorm))) {
    head.norm = reader.RequireNorm(Slot::kNorm, config.width, config.norm_epsilon);
  }
  head.pool_norm = reader.ReadNorm(Slot::kPoolNorm, config.width, config.norm_epsilon);
  if (config.pooling == Pooling::kAttention) LoadAttentionPool(reader, config, &head);
  int features = PooledWidth(config);
  if (names.Has(Slot::kPooler)) {
    const std::vector<int64_t> bias = names.Shape(Slot::kPooler, Part::kBias);
    const std::vector<int64_t> weight = names.Shape(Slot::kPooler, Part::kWeight);
    const int64_t outputs64 = !bias.empty() ? bias.back() : weight.empty() ? 0 : weight.front();
    const int outputs = outputs64 > 0 && outputs64 <= (1 << 24) ? static_cast<int>(outputs64) : 1;
    head.pooler = reader.ReadLinear(Slot::kPooler, outputs, features,
                                    layout.pooler_bias ? Bias::kAlways : Bias::kWherePresent);
    head.pooler_tanh = layout.pooler_tanh;
    features = outputs;
  }
  if (config.classes == 0) {
    if (config.pooling == Pooling::kClassAndDistillation)
      head.pooler = MeanOfTwo(config.width, reader.check_only());
  } else if (config.pooling == Pooling::kClassAndDistillation) {
    head.classifier = JoinHeads(
        reader.ReadLinear(Slot::kClassifier, config.classes, config.width, Bias::kAlways),
        reader.ReadLinear(Slot::kDistillationClassifier, config.classes, config.width, Bias::kAlways));
  } else {
    head.classifier = reader.ReadLinear(Slot::kClassifier, config.classes, features, Bias::kAlways);
  }
  return head;
}

}  // namespace vitrine
