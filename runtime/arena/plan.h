// SPDX-License-Identifier: Apache-2.0
// The arena planner: where in one block of memory each buffer lies, given when it lives. A pure function.
#pragma once

#include <cstddef>
#include <span>

namespace vitrine {

/// A buffer to be placed: `bytes`, alive from before step `first` until after step `last` (inclusive).
struct BufferRequest {
  size_t bytes = 0;
  int first = 0;
  int last = 0;
};

/// Sets `offsets[i]` (bytes from the arena's start, multiples of kAlignment) for each request so that no two
/// buffers that live at the same step overlap, and returns the arena's size in bytes.
///
///   offset ^
///          |  [ fc1 output      ]
///          |        [ hidden int8 ]        largest first; each into the smallest gap that fits
///          |  [ residual stream                     ]
///          +---------------------------------------------> step
///
/// Greedy by size; about 5 % above the largest sum of live bytes on ViTs, where it is optimal but for
/// alignment. `offsets` has as many elements as `requests`. Cost O(n^2). Never fails, allocates 2 ints a
/// buffer while it runs. Source: Pisarchyk and Lee, Efficient Memory Management for Deep Neural Net
/// Inference, 2020 (greedy by size).
size_t PlanBuffers(std::span<const BufferRequest> requests, std::span<size_t> offsets);

}  // namespace vitrine
