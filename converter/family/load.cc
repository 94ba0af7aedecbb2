// SPDX-License-Identifier: Apache-2.0
// Loads the embedding, blocks and rotary positions of a checkpoint in the canonical layout.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "converter/error.h"
#include "converter/family/reader.h"
#include "converter/vit/positions.h"

namespace vitrine {
namespace {

using Bias = Reader::Bias;

/// [from, from + count) += values.
void Add(std::vector<float>* table, size_t from, std::span<const float> values) {
  for (size_t i = 0; i < values.size(); ++i) (*table)[from + i] += values[i];
}

/// Returns the position table at the model's size, with the tokens before the patches added.
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

/// Reorders columns from (y, x, channel) to (channel, y, x).
void PutChannelsFirst(LinearWeights* patch, int channels) {
  const std::vector<float> from = patch->weight;
  const size_t inputs = static_cast<size_t>(patch->inputs), area = inputs / static_cast<size_t>(channels);
  for (size_t i = 0; i < from.size(); ++i) {
    const size_t column = i % inputs;
    patch->weight[i] = from[i - column + column % area * static_cast<size_t>(channels) + column / area];
  }
}

/// [H, PositionBiasRows(model's grid)], the sum of the block's own table and the one that blocks share,
/// resampled to the model's grid; empty where there is neither.
std::vector<float> LoadPositionBias(Reader& reader, const Layout& layout, int block) {
  const VitConfig& config = layout.config;
  const int stored_rows = layout.bias_grid.cells() > 0 ? PositionBiasRows(layout.bias_grid) : 0;
  std::vector<float> sum;
  for (const Slot slot : {Slot::kPositionBias, Slot::kSharedPositionBias}) {
    if (!reader.names().Has(slot)) continue;
    const int of_block = slot == Slot::kPositionBias ? block : 0;
    const std::vector<float> table = reader.RequireRows(slot, stored_rows, config.heads, of_block);
    sum.resize(table.size());
    for (size_t i = 0; i < table.size(); ++i) sum[i] += table[i];
  }
  if (sum.empty()) return sum;
  const PatchGrid grid{config.image_height / config.patch_height, config.image_width / config.patch_width};
  if (layout.bias_resizes) sum = ResizePositionBias(sum, layout.bias_grid, grid, config.heads);
  const size_t rows = static_cast<size_t>(PositionBiasRows(grid)), heads = static_cast<size_t>(config.heads);
  std::vector<float> by_head(rows * heads);
  for (size_t i = 0; i < by_head.size(); ++i) by_head[i] = sum[i % rows * heads + i / rows];
  return by_head;
}

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

Embedding LoadEmbedding(Reader reader, const Layout& layout) {
  const VitConfig& config = layout.config;
  Embedding embedding;
  for (size_t i = 0; i < config.rotary.frequencies.size() && !reader.check_only(); ++i) {
    const double frequency = config.rotary.frequencies[i];
    if (std::isfinite(frequency) && frequency > 0) continue;
    Fail(reader.names().Name(Slot::kRotaryPeriods, Part::kWeight), ": value ", i, " is not a period above 0");
  }
  // timm and CLIP have no bias here if a norm follows.
  const Bias bias = reader.names().Has(Slot::kPreNorm) ? Bias::kWherePresent : Bias::kAlways;
  embedding.patch =
      reader.ReadPatch(config.width, config.channels, config.patch_height, config.patch_width, bias);
  if (layout.patch_channels_last) PutChannelsFirst(&embedding.patch, config.channels);
  embedding.patch_norm = reader.ReadNorm(Slot::kPatchNorm, config.width, config.norm_epsilon);
  embedding.positions = LoadPositions(reader, layout);
  embedding.pre_norm = reader.ReadNorm(Slot::kPreNorm, config.width, config.norm_epsilon);
  return embedding;
}

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
  // In a table without a name for the value, kFc1 is the value, or the one layer of an MLP without a gate.
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
  for (size_t i = 0; i < periods.size(); ++i) {  // empty if the reader only checks
    rotary.frequencies[i] = 2 * std::numbers::pi / static_cast<double>(periods[i]);
  }
  return rotary;
}

}  // namespace vitrine
