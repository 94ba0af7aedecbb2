// SPDX-License-Identifier: Apache-2.0
// Work spread over the session's threads, row by row.
#pragma once

#include <pthreadpool.h>

#include <algorithm>
#include <cstddef>

namespace vitrine {

inline size_t ThreadCount(pthreadpool_t pool) { return pthreadpool_get_threads_count(pool); }

/// Calls function(thread, first, last) for tiles of `tile` rows that cover [0, rows); returns when all are
/// done. Denormals are flushed to zero meanwhile, as in XNNPACK's operators. No pool: in this thread, all
/// rows at once.
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

/// A tile size that gives each thread several tiles, so that a slow core does not hold up the others.
inline size_t TileRows(pthreadpool_t pool, size_t rows) {
  const size_t threads = ThreadCount(pool);
  return threads == 1 ? rows : std::max<size_t>(1, rows / (threads * 5));
}

}  // namespace vitrine
