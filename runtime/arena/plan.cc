// SPDX-License-Identifier: Apache-2.0
#include "runtime/arena/plan.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "runtime/base/memory.h"

namespace vitrine {
namespace {

bool LiveTogether(const BufferRequest& a, const BufferRequest& b) {
  return a.first <= b.last && b.first <= a.last;
}

/// Returns the start of the smallest gap of at least `bytes` between `neighbours` (sorted by offset), or the
/// end of them.
size_t SmallestGap(size_t bytes, std::span<const int> neighbours, std::span<const BufferRequest> requests,
                   std::span<const size_t> offsets) {
  size_t best = std::numeric_limits<size_t>::max(), best_size = best, end = 0;
  for (const int n : neighbours) {
    const size_t begin = offsets[static_cast<size_t>(n)];
    if (begin > end && begin - end >= bytes && begin - end < best_size) {
      best = end;
      best_size = begin - end;
    }
    end = std::max(end, begin + RoundUp(requests[static_cast<size_t>(n)].bytes));
  }
  return best_size == std::numeric_limits<size_t>::max() ? end : best;
}

}  // namespace

size_t PlanBuffers(std::span<const BufferRequest> requests, std::span<size_t> offsets) {
  std::vector<int> by_size(requests.size());
  std::iota(by_size.begin(), by_size.end(), 0);
  std::stable_sort(by_size.begin(), by_size.end(), [&](int a, int b) {
    return requests[static_cast<size_t>(a)].bytes > requests[static_cast<size_t>(b)].bytes;
  });

  std::vector<int> placed;  // sorted by offset
  std::vector<int> neighbours;
  placed.reserve(requests.size());
  neighbours.reserve(requests.size());
  size_t arena_bytes = 0;
  for (const int index : by_size) {
    const BufferRequest& request = requests[static_cast<size_t>(index)];
    offsets[static_cast<size_t>(index)] = 0;
    if (request.bytes == 0) continue;
    neighbours.clear();
    std::copy_if(placed.begin(), placed.end(), std::back_inserter(neighbours),
                 [&](int other) { return LiveTogether(request, requests[static_cast<size_t>(other)]); });
    const size_t bytes = RoundUp(request.bytes);
    const size_t offset = SmallestGap(bytes, neighbours, requests, offsets);
    offsets[static_cast<size_t>(index)] = offset;
    arena_bytes = std::max(arena_bytes, offset + bytes);
    const auto after = std::upper_bound(placed.begin(), placed.end(), offset, [&](size_t o, int other) {
      return o < offsets[static_cast<size_t>(other)];
    });
    placed.insert(after, index);
  }
  return arena_bytes;
}

}  // namespace vitrine
