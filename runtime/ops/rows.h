// SPDX-License-Identifier: Apache-2.0
// Rows of a tensor: how the kernels see them, and how they are divided among the session's threads.
#pragma once

#include <pthreadpool.h>

#include <algorithm>
#include <cstddef>

#include "runtime/kernels/rows.h"
#include "runtime/ops/op.h"

namespace vitrine {

/// Returns the output rows of tensor `index` in `memory`. Copies the scale and zero point of a QS8 tensor to
/// *fixed, which must live as long as the rows are used.
inline kernels::OutputRows RowsOf(const Program& program, const Memory& memory, int index,
                                  kernels::RowQuantization* fixed) {
  const TensorInfo tensor = program.tensor(index);
  std::byte* data = memory.tensor<std::byte>(index);
  switch (tensor.type) {
    case schema::Type::QD8: {
      auto* rows = reinterpret_cast<kernels::RowQuantization*>(data + tensor.row_quantization_offset());
      return {kernels::RowType::kQd8, data, tensor.columns, rows};
    }
    case schema::Type::QS8:
      *fixed = {tensor.zero_point, tensor.scale};
      return {kernels::RowType::kQs8, data, tensor.columns, fixed};
    default:
      return {kernels::RowType::kF32, data, tensor.columns, nullptr};
  }
}

/// Returns the types of an f32 operator with this output: "f32", "f32_qd8" or "f32_qs8".
inline const char* TypeOfRows(const Program& program, int index) {
  switch (program.tensor(index).type) {
    case schema::Type::QD8:
      return "f32_qd8";
    case schema::Type::QS8:
      return "f32_qs8";
    default:
      return "f32";
  }
}

/// Returns the number of threads, including the caller's. A null pool has one.
inline size_t ThreadCount(pthreadpool_t pool) { return pthreadpool_get_threads_count(pool); }

/// Returns a tile size that gives each thread several tiles, so that the others do not wait long for a slow
/// core.
inline size_t TileRows(pthreadpool_t pool, size_t rows) {
  const size_t threads = ThreadCount(pool);
  return threads == 1 ? rows : std::max<size_t>(1, rows / (threads * 5));
}

/// Calls function(thread, first, last) for tiles of `tile` rows that cover [0, rows); returns when all are
/// done. Flushes denormals to zero meanwhile, as XNNPACK's operators do. A null pool runs all tiles in this
/// thread.
template <typename Function>
void ForRows(pthreadpool_t pool, size_t rows, size_t tile, const Function& function) {
  struct Task {
    const Function& function;
    size_t rows, tile;
  } task{function, rows, tile};
  const auto run = [](void* context, size_t thread, size_t index) {
    const Task& t = *static_cast<const Task*>(context);
    t.function(thread, index * t.tile, std::min(t.rows, (index + 1) * t.tile));
  };
  pthreadpool_parallelize_1d_with_thread(pool, run, &task, (rows + tile - 1) / tile,
                                         PTHREADPOOL_FLAG_DISABLE_DENORMALS);
}

}  // namespace vitrine
