// SPDX-License-Identifier: Apache-2.0
// What a Session holds: operators with packed weights, the arena, the threads, and the way from a photo to
// the input.
#pragma once

#include <pthreadpool.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <vector>
#include <vitrine/vitrine.hpp>

#include "runtime/arena/plan.h"
#include "runtime/image/preprocess.h"
#include "runtime/ops/packed_weights.h"
#include "runtime/session/liveness.h"
#include "runtime/session/model.h"

namespace vitrine {

struct FreeMemory {
  void operator()(std::byte* memory) const { std::free(memory); }
};
struct StopThreads {
  void operator()(pthreadpool* pool) const { pthreadpool_destroy(pool); }
};

struct Session::State {
  const Model::State* model = nullptr;
  int threads = 1;
  std::unique_ptr<pthreadpool, StopThreads> pool;    ///< none with one thread
  std::unique_ptr<std::byte, FreeMemory> own_arena;  ///< none where the caller gave one
  std::unique_ptr<PackedWeights> packed;             ///< what `ops` read
  OpList ops;
  std::byte* arena = nullptr;
  size_t arena_bytes = 0, packed_bytes = 0;
  std::vector<std::byte*> tensor_data;       ///< by tensor, into the arena
  std::optional<Preprocessor> preprocessor;  ///< none where the input is not a gray or colour image

  const Program& program() const { return model->program; }

  // In the order in which Session::Create calls them.
  Status StartThreads(int count);
  Status CreateOps(const char* packed_file);
  Status PlanAndSetup(std::span<std::byte> callers_arena);
  Status PrepareImages();

  float* Output(int tensor) const;

 private:
  Status ReshapeOps(std::vector<BufferRequest>* requests);
  Status TakeArena(size_t bytes, std::span<std::byte> callers);
  Status SetupOps(std::span<const size_t> offsets);
};

/// Sets `values` to a tensor's elements as f32.
void ReadTensor(const TensorInfo& tensor, const std::byte* data, std::span<float> values);

}  // namespace vitrine
