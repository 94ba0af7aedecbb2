// SPDX-License-Identifier: Apache-2.0
// What a Session holds: operators with packed weights, the arena, the threads, and the way from a photo to
// the input.
#pragma once

#include <pthreadpool.h>

#include <memory>
#include <optional>
#include <span>
#include <vector>
#include <vitrine/vitrine.hpp>

#include "runtime/base/memory.h"
#include "runtime/arena/plan.h"
#include "runtime/image/decode/jpeg.h"
#include "runtime/image/preprocess.h"
#include "runtime/ops/packing/packed_weights.h"
#include "runtime/ops/liveness.h"
#include "runtime/session/model.h"
#include "runtime/session/rollout.h"

namespace vitrine {

struct FreeMemory {
  void operator()(std::byte* memory) const { FreeBytes(memory); }
};

/// A program on its way through the phases of its operators.
struct PreparedLevel {
  Program program;
  OpList ops;
  std::vector<size_t> offsets;          ///< in the arena: of the tensors, then of the operators' scratch
  std::vector<BufferRequest> buffers;   ///< as offsets: bytes, first and last operator
  std::vector<std::byte*> tensor_data;  ///< by tensor, into the arena
};

struct Session::State {
  const Model::State* model = nullptr;
  int threads = 1;
  std::shared_ptr<pthreadpool> pool;                 ///< none with one thread
  std::unique_ptr<std::byte, FreeMemory> own_arena;  ///< none where the caller gave one
  std::unique_ptr<PackedWeights> packed;             ///< what the operators of all levels read
  std::vector<PreparedLevel> levels;
  size_t current = 0;
  std::byte* arena = nullptr;
  size_t arena_bytes = 0, packed_bytes = 0;
  std::optional<Preprocessor> preprocessor;  ///< none where the input is not a gray or colour image
  std::unique_ptr<Rollout> rollout;          ///< none without SessionOptions::attention_map
  AttentionMap attention_map = AttentionMap::kNone;
  std::optional<JpegRows> jpeg;  ///< none before the first SetJpeg()

  const PreparedLevel& level() const { return levels[current]; }
  const Program& program() const { return level().program; }

  // In the order in which Session::Create calls them.
  Status StartThreads(const SessionOptions& options);
  Status MakeLevels();
  Status CreateOps(const char* packed_file);
  Status PlanAndSetup(std::span<std::byte> callers_arena);
  Status PrepareImages();
  Status PrepareRollout();

  Status CheckTakesImages() const;
  float* Output(int tensor) const;
  static Status RunReference(Session& session, const schema::Reference& reference);

 private:
  Status CreateOps(PreparedLevel& level);
  /// Sets the level's offsets; raises `bytes` to what its arena needs.
  Status Plan(PreparedLevel& level, size_t* bytes);
  Status TakeArena(size_t bytes, std::span<std::byte> callers);
  Status SetupOps(PreparedLevel& level);
};

/// Sets `values` to a tensor's elements as f32.
void ReadTensor(const TensorInfo& tensor, const std::byte* data, std::span<float> values);

}  // namespace vitrine
