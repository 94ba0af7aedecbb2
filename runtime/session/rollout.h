// SPDX-License-Identifier: Apache-2.0
// What a model looked at: the weights with which each operator mixed tokens, multiplied from the output back
// to the patches.
//
//     patches ─ A1 ─ A2 ─ merge ─ A3 ─ ... ─ pool ─> output
//     map    <── r A1 <── r A2 <── r M <── r A3 <── ... <── r = the pool's weights
#pragma once

#include <memory>
#include <span>
#include <vector>
#include <vitrine/vitrine.hpp>

#include "runtime/program/program.h"
#include "runtime/ops/liveness.h"

namespace vitrine {

/// The patches of a program's image and the rows before theirs; a grid of zeros where it has no such thing.
struct PatchRows {
  Grid grid;
  size_t first = 0;  ///< class, distillation and register tokens come before
  size_t count() const { return static_cast<size_t>(grid.height) * static_cast<size_t>(grid.width); }
};
PatchRows FindPatchRows(const Program& program);

/// Attention rollout (Abnar and Zuidema, "Quantifying Attention Flow in Transformers", 2020, section 3): a
/// block passes on half of each token as it is, and half by its attention, averaged over the heads. Token
/// merging and pooling pass on by their weights.
class Rollout {
 public:
  struct Level {
    const Program& program;
    const OpList& ops;
  };

  /// Reserves what any of the levels needs: f32 [T, T] for each block. Fails with kUnsupportedModel where a
  /// program has no attention over a grid of patches, with kOutOfMemory.
  static Result<std::unique_ptr<Rollout>> Create(std::span<const Level> levels, pthreadpool_t pool);

  /// To be called after each operator has run.
  void After(size_t level, int operator_index, pthreadpool_t pool);
  /// To be called after the last one. `kind` is not kNone.
  void Finish(size_t level, AttentionMap kind);
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
