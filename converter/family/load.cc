// SPDX-License-Identifier: Apache-2.0
#include "converter/family/load.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "converter/error.h"
#include "converter/family/position_bias.h"
#include "converter/family/rotary_layout.h"

namespace vitrine {
namespace {

using Bias = Reader::Bias;

/// [from, from + count) += values.
void Add(std::vector<float>* table, size_t from, std::span<const float> values) {
  for (size_t i = 0; i < values.size(); ++i) (*table)[from + i] += values[i];
}

/// The position table at the model's size, with the tokens that stand before the patches added in.
std::vector<float> LoadPositions(Reader& reader, const Layout& layout) {
  const VitConfig& config = layout.config;
  const int width = config.width, prefix = layout.stored_prefix;
  const bool has_table = layout.stored_grid.cells() > 0;
  const std::vector<float> stored =
      has_table ? reader.RequireRows(Slot::kPositions, prefix + layout.stored_grid.cells(), width)
                : std::vector<float>();
  const std::vector<float> class_token = reader.ReadRows(Slot::kClassToken, 1, width);
  const std::vector<float> distillation = reader.ReadRows(Slot::kDistillationToken, 1, width);
  const int singles = reader.names().Has(Slot::kClassToken) + reader.names().Has(Slot::kDistillationToken);
  const int registers = config.prefix_tokens - singles;
  const std::vector<float> register_tokens = reader.ReadRows(Slot::kRegisters, registers, width);
  if (reader.check_only()) return {};

  const int rows = has_table || config.prefix_tokens == 0 ? config.tokens() : config.prefix_tokens;
  std::vector<float> table(static_cast<size_t>(rows) * width);
  if (has_table) {
    const PatchGrid grid{config.image_height / config.patch_height, config.image_width / config.patch_width};
    const std::span<const float> patches = std::span(stored).subspan(static_cast<size_t>(prefix) * width);
    const std::vector<float> resized =
        ResizePositions(patches, layout.stored_grid, grid, width, layout.positions);
    std::copy_n(stored.begin(), static_cast<size_t>(prefix) * width, table.begin());
    std::copy(resized.begin(), resized.end(), table.end() - static_cast<ptrdiff_t>(resized.size()));
  }
  size_t at = 0;
  for (const std::vector<float>* token : {&class_token, &distillation, &register_tokens}) {
    Add(&table, at, *token);
    at += token->size();
  }
  return table;
}

/// Columns (y, x, channel) become (channel, y, x).
void PutChannelsFirst(LinearWeights* patch, int channels) {
  const std::vector<float> from = patch->weight;
  const size_t inputs = static_cast<size_t>(patch->inputs), area = inputs / static_cast<size_t>(channels);
  for (size_t i = 0; i < from.size(); ++i) {
    const size_t column = i % inputs;
    patch->weight[i] = from[i - column + column % area * static_cast<size_t>(channels) + column / area];
  }
}

/// Two heads, of which a model gives the mean, as one that reads both tokens: [C, 2 D], halved.
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

/// timm without classes gives the mean of class and distillation token.
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

/// The learnt query of attention pooling, after its projection.
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

/// The first `outputs` rows of `linear` leave it and are returned.
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

/// Width of the vector that pooling gives.
int PooledWidth(const VitConfig& config) {
  const bool two =
      config.pooling == Pooling::kClassAndDistillation || config.pooling == Pooling::kClassAndPatchMean;
  return two ? 2 * config.width : config.width;
}

}  // namespace

Embedding LoadEmbedding(Reader reader, const Layout& layout) {
  const VitConfig& config = layout.config;
  Embedding embedding;
  for (size_t i = 0; i < config.rotary.frequencies.size() && !reader.check_only(); ++i) {
    const double frequency = config.rotary.frequencies[i];
    if (std::isfinite(frequency) && frequency > 0) continue;
    Fail(reader.names().Name(Slot::kRotaryPeriods, Part::kWeight), ": value ", i, " is no period above 0");
  }
  // timm and CLIP leave the bias out where a norm follows.
  const Bias bias = reader.names().Has(Slot::kPreNorm) ? Bias::kWherePresent : Bias::kAlways;
  embedding.patch =
      reader.ReadPatch(config.width, config.channels, config.patch_height, config.patch_width, bias);
  if (layout.patch_channels_last) PutChannelsFirst(&embedding.patch, config.channels);
  embedding.patch_norm = reader.ReadNorm(Slot::kPatchNorm, config.width, config.norm_epsilon);
  embedding.positions = LoadPositions(reader, layout);
  embedding.pre_norm = reader.ReadNorm(Slot::kPreNorm, config.width, config.norm_epsilon);
  return embedding;
}

namespace {

LinearWeights LoadQkv(Reader& reader, const Layout& layout, int block) {
  const int width = layout.config.width, outputs = layout.config.heads * layout.config.head_size;
  const Bias bias = layout.qkv_bias ? Bias::kAlways : Bias::kWherePresent;
  const Names& names = reader.names();
  LinearWeights qkv = names.Has(Slot::kQkv) ? reader.ReadLinear(Slot::kQkv, 3 * outputs, width, bias, block)
                                            : reader.ReadLinears({Slot::kQuery, Slot::kKey, Slot::kValue},
                                                                 outputs, width, bias, block);
  if (names.Has(Slot::kQueryBias) || names.Has(Slot::kValueBias)) {
    const std::vector<float> query = reader.RequireRows(Slot::kQueryBias, 1, outputs, block),
                             value = reader.RequireRows(Slot::kValueBias, 1, outputs, block);
    qkv.bias.assign(query.begin(), query.end());
    qkv.bias.resize(2 * query.size());
    qkv.bias.insert(qkv.bias.end(), value.begin(), value.end());
  }
  if (layout.no_key_bias && !qkv.bias.empty()) std::fill_n(qkv.bias.begin() + outputs, outputs, 0.0f);
  return qkv;
}

}  // namespace

Block LoadBlock(Reader reader, const Layout& layout, int block) {
  const VitConfig& config = layout.config;
  const int width = config.width, attention_width = config.heads * config.head_size;
  const Bias bias = layout.linear_bias ? Bias::kAlways : Bias::kWherePresent;
  Block loaded;
  loaded.norm1 = reader.RequireNorm(Slot::kNorm1, width, config.norm_epsilon, block);
  loaded.qkv = LoadQkv(reader, layout, block);
  loaded.query_norm = reader.ReadNorm(Slot::kQueryNorm, config.head_size, config.norm_epsilon, block);
  loaded.key_norm = reader.ReadNorm(Slot::kKeyNorm, config.head_size, config.norm_epsilon, block);
  loaded.position_bias = LoadPositionBias(reader, layout, block);
  loaded.attention_norm = reader.ReadNorm(Slot::kAttentionNorm, attention_width, config.norm_epsilon, block);
  if (layout.interleaved_rotary) PairByHalves(&loaded, config);
  loaded.projection = reader.ReadLinear(Slot::kProjection, width, attention_width, bias, block);
  loaded.scale1 = reader.ReadRows(Slot::kScale1, 1, width, block);
  loaded.norm2 = reader.RequireNorm(Slot::kNorm2, width, config.norm_epsilon, block);
  // A table without a name for the value has the one layer of an MLP without a gate in its place.
  const bool has_value = !reader.names().Name(Slot::kFc1Value, Part::kWeight).empty();
  loaded.fc1 =
      reader.names().Has(Slot::kFc1Gate)
          ? reader.ReadLinears({Slot::kFc1Gate, has_value ? Slot::kFc1Value : Slot::kFc1}, config.mlp_width,
                               width, bias, block)
          : reader.ReadLinear(Slot::kFc1, config.mlp_width * (config.gated_mlp ? 2 : 1), width, bias, block);
  loaded.mlp_norm = reader.ReadNorm(Slot::kMlpNorm, config.mlp_width, config.norm_epsilon, block);
  loaded.fc2 = reader.ReadLinear(Slot::kFc2, width, config.mlp_width, bias, block);
  loaded.scale2 = reader.ReadRows(Slot::kScale2, 1, width, block);
  return loaded;
}

Rotary LoadRotary(Reader reader, const Layout& layout) {
  Rotary rotary = layout.config.rotary;
  if (!reader.names().Has(Slot::kRotaryPeriods)) return rotary;
  const std::vector<float> periods =
      reader.RequireRows(Slot::kRotaryPeriods, 1, static_cast<int>(rotary.frequencies.size()));
  for (size_t i = 0; i < periods.size(); ++i) {  // none where the reader only checks
    rotary.frequencies[i] = 2 * std::numbers::pi / static_cast<double>(periods[i]);
  }
  return rotary;
}

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
