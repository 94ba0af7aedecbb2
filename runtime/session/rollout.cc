// SPDX-License-Identifier: Apache-2.0
#include "runtime/session/rollout.h"

#include <algorithm>

namespace vitrine {

PatchRows FindPatchRows(const Program& program) {
  PatchRows patches;
  for (int i = 0; i < program.operator_count(); ++i) {
    if (const schema::PixelsToRows* op = program.op(i).kind_as_PixelsToRows()) {
      patches.grid = {static_cast<int>(op->image_height() / op->patch_height()),
                      static_cast<int>(op->image_width() / op->patch_width())};
    }
    if (const schema::AddPositions* op = program.op(i).kind_as_AddPositions())
      patches.first = op->first_patch();
  }
  return patches;
}

Rollout::Chain Rollout::ChainOf(const Level& level) {
  Chain chain;
  chain.patches = FindPatchRows(level.program);
  chain.step_of.assign(level.ops.size(), -1);
  size_t offset = 0;
  for (size_t i = 0; i < level.ops.size(); ++i) {
    const TokenMix mix = level.ops[i]->token_mix();
    if (mix.columns == 0) continue;
    chain.step_of[i] = static_cast<int>(chain.steps.size());
    chain.steps.push_back({level.ops[i].get(), mix, offset});
    offset += mix.rows * mix.columns;
  }
  return chain;
}

Result<std::unique_ptr<Rollout>> Rollout::Create(std::span<const Level> levels, pthreadpool_t pool) {
  auto rollout = std::make_unique<Rollout>();
  size_t weights = 0, tokens = 0, scratch = 0;
  for (const Level& level : levels) {
    Chain chain = ChainOf(level);
    const size_t patches = chain.patches.count();
    const bool attends = std::any_of(chain.steps.begin(), chain.steps.end(),
                                     [](const Step& step) { return step.mix.is_attention; });
    if (patches == 0 || !attends || chain.steps.front().mix.columns != chain.patches.first + patches) {
      return Status::Error(Code::kUnsupportedModel, "the model has no attention over a grid of patches");
    }
    for (const Step& step : chain.steps) {
      weights = std::max(weights, step.offset + step.mix.rows * step.mix.columns);
      tokens = std::max({tokens, step.mix.rows, step.mix.columns});
      scratch = std::max(scratch, step.op->TokenWeightsBytes(pool));
    }
    rollout->map_.resize(patches);
    rollout->chains_.push_back(std::move(chain));
  }
  rollout->weights_.resize(weights);
  rollout->row_.resize(tokens);
  rollout->next_.resize(tokens);
  rollout->scratch_.resize(scratch + kAlignment);
  const size_t address = reinterpret_cast<size_t>(rollout->scratch_.data());
  rollout->aligned_scratch_ = rollout->scratch_.data() + (kAlignment - address % kAlignment) % kAlignment;
  return rollout;
}

void Rollout::After(size_t level, int operator_index, pthreadpool_t pool) {
  const Chain& chain = chains_[level];
  const int index = chain.step_of[static_cast<size_t>(operator_index)];
  if (index < 0) return;
  const Step& step = chain.steps[static_cast<size_t>(index)];
  step.op->WriteTokenWeights(pool, aligned_scratch_, weights_.data() + step.offset);
}

/// Sets row_ to row_ * weights. The output does not depend on rows that the step does not write.
void Rollout::Pass(const Step& step, AttentionMap kind, bool* has_attended) {
  const TokenMix& mix = step.mix;
  const bool is_further_block = mix.is_attention && *has_attended && kind == AttentionMap::kLastBlock;
  if (is_further_block) return;
  *has_attended = *has_attended || mix.is_attention;
  const float share = mix.is_added && kind == AttentionMap::kRollout ? 0.5f : 1.0f;
  std::fill(next_.begin(), next_.end(), 0.0f);
  for (size_t i = 0; i < mix.rows; ++i) {
    const float* weights = weights_.data() + step.offset + i * mix.columns;
    const float scale = share * row_[i];
    if (scale == 0) continue;
    for (size_t t = 0; t < mix.columns; ++t) next_[t] += scale * weights[t];
    next_[i] += row_[i] - scale;
  }
  std::swap(row_, next_);
}

void Rollout::Finish(size_t level, AttentionMap kind) {
  const Chain& chain = chains_[level];
  const size_t rows = chain.steps.back().mix.rows;
  std::fill(row_.begin(), row_.end(), 0.0f);
  std::fill_n(row_.begin(), rows, 1 / static_cast<float>(rows));
  bool has_attended = false;
  for (size_t i = chain.steps.size(); i-- > 0;) Pass(chain.steps[i], kind, &has_attended);
  std::copy_n(row_.begin() + static_cast<ptrdiff_t>(chain.patches.first), map_.size(), map_.begin());
}

}  // namespace vitrine
