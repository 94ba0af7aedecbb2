// SPDX-License-Identifier: Apache-2.0
// The state of a Session: operators with packed weights, the arena, the threads, and the preprocessing of
// photos.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>
#include <vitrine/vitrine.hpp>

#include "runtime/arena/plan.h"
#include "runtime/base/memory.h"
#include "runtime/image/decode/jpeg.h"
#include "runtime/image/preprocess.h"
#include "runtime/ops/op.h"
#include "runtime/ops/packing/packed_weights.h"
#include "runtime/session/model.h"
#include "runtime/session/rollout.h"

namespace vitrine {

struct FreeMemory {
  void operator()(std::byte* memory) const { FreeBytes(memory); }
};

/// A level of the model: its operators, and where their tensors and scratch memory are in the arena.
struct PreparedLevel {
  Program program;
  OpList ops;
  std::vector<size_t> offsets;  ///< in the arena: of the tensors, then of the operators' scratch memory
  std::vector<BufferRequest> buffers;   ///< in the same order: bytes, first and last operator
  std::vector<std::byte*> tensor_data;  ///< by tensor, into the arena
};

struct Session::State {
  const Model::State* model = nullptr;
  int threads = 1;
  std::shared_ptr<pthreadpool> pool;                 ///< null with one thread
  std::unique_ptr<std::byte, FreeMemory> own_arena;  ///< null when the caller provides the arena
  std::unique_ptr<PackedWeights> packed;             ///< the weights of all levels
  std::vector<PreparedLevel> levels;
  size_t current = 0;
  std::byte* arena = nullptr;
  size_t arena_bytes = 0, packed_bytes = 0;
  std::optional<Preprocessor> preprocessor;  ///< empty when the input is not a gray or colour image
  std::unique_ptr<Rollout> rollout;          ///< null without SessionOptions::attention_map
  AttentionMap attention_map = AttentionMap::kNone;
  std::optional<JpegRows> jpeg;  ///< empty before the first SetJpeg()

  const PreparedLevel& level() const { return levels[current]; }
  const Program& program() const { return level().program; }

  // In the order in which Session::Create calls them.
  Status StartThreads(const SessionOptions& options);
  Status MakeLevels();
  Status CreateOps(const char* packed_file);
  Status PlanAndSetup(std::span<std::byte> callers_arena);
  Status PrepareImages();
  Status PrepareRollout();

  /// Fails when the model's input is not a gray or colour image.
  Status CheckTakesImages() const;
  /// Returns the elements of an f32 tensor of the current level.
  std::span<const float> Output(int tensor) const;
  /// Runs the reference image and compares the output with the file's.
  static Status RunReference(Session& session, const schema::Reference& reference);

 private:
  Status CreateOps(PreparedLevel& level);
  /// Sets the level's offsets; raises `bytes` to the size of its arena.
  Status Plan(PreparedLevel& level, size_t* bytes);
  Status TakeArena(size_t bytes, std::span<std::byte> callers);
  Status SetupOps(PreparedLevel& level);
};

}  // namespace vitrine
