// SPDX-License-Identifier: Apache-2.0
// The attention map of a frame: the weights with which each operator mixes tokens, multiplied from the output
// back to the patches.
//
//     patches ─ A1 ─ A2 ─ merge ─ A3 ─ ... ─ pool ─> output
//     map    <── r A1 <── r A2 <── r M <── r A3 <── ... <── r = the pool's weights
#pragma once

#include <memory>
#include <span>
#include <vector>
#include <vitrine/vitrine.hpp>

#include "runtime/ops/op.h"
#include "runtime/program/program.h"

namespace vitrine {

/// The patches of a program's image. The grid is 0 x 0 when the input is not an image.
struct PatchRows {
  Grid grid;
  size_t first = 0;  ///< the row of the first patch, after class, distillation and register tokens
  size_t count() const { return static_cast<size_t>(grid.height) * static_cast<size_t>(grid.width); }
};
PatchRows FindPatchRows(const Program& program);

/// Attention rollout (Abnar and Zuidema, "Quantifying Attention Flow in Transformers", 2020, section 3): a
/// block passes on half of each token unchanged, and half through its attention, averaged over the heads.
/// Token merging and pooling pass on tokens by their weights.
class Rollout {
 public:
  struct Level {
    const Program& program;
    const OpList& ops;
  };

  /// Returns a rollout with memory for the largest of the levels: f32 [T, T] for each block. Fails with
  /// kUnsupportedModel when a program has no attention over a grid of patches.
  static Result<std::unique_ptr<Rollout>> Create(std::span<const Level> levels, pthreadpool_t pool);

  /// Keeps the weights of an operator. Call it after each operator has run.
  void After(size_t level, int operator_index, pthreadpool_t pool);
  /// Sets map(). Call it after the last operator. `kind` is not kNone.
  void Finish(size_t level, AttentionMap kind);
  /// Returns the weight of each patch, [grid.height, grid.width].
  std::span<const float> map() const { return map_; }

 private:
  struct Step {
    const Op* op;
    TokenMix mix;
    size_t offset;  // of its weights
  };
  struct Chain {
    std::vector<Step> steps;
    std::vector<int> step_of;  // by operator, or -1
    PatchRows patches;
  };

  static Chain ChainOf(const Level& level);
  void Pass(const Step& step, AttentionMap kind, bool* has_attended);

  std::vector<Chain> chains_;
  std::vector<float> weights_, row_, next_, map_;
  std::vector<std::byte> scratch_;
  std::byte* aligned_scratch_ = nullptr;
};

}  // namespace vitrine
