// SPDX-License-Identifier: Apache-2.0
// XNNPACK's start-up and its memory: the one allocator that the process gives it, which is ours.
#pragma once

#include <cstddef>
#include <memory>
#include <vitrine/status.hpp>

struct pthreadpool;

namespace vitrine {

/// Starts XNNPACK, once for the process; later calls cost nothing. Safe from any thread.
/// Fails with kUnsupportedCpu where the processor lacks what every build needs.
Status StartXnnpack();

/// Returns `count` threads, the caller's among them, or null when the system cannot start them.
std::shared_ptr<pthreadpool> StartThreads(size_t count);

/// While one of these lives, this thread may allocate through XNNPACK; otherwise its requests are refused and
/// counted, so that nothing allocates between the first frame and the last.
class XnnpackMemory {
 public:
  XnnpackMemory();
  ~XnnpackMemory();
  XnnpackMemory(const XnnpackMemory&) = delete;
  XnnpackMemory& operator=(const XnnpackMemory&) = delete;

  /// Returns the bytes that XNNPACK has taken on this thread since this object was made:
  /// packed weights, mostly.
  size_t bytes() const;
};

/// What XNNPACK's status `status` (an xnn_status) means of what it was asked to do: "create an operator".
Status CheckXnnpack(int status, const char* asked);

/// 64-byte aligned memory that counts as XNNPACK's, or null while it may not allocate. Free with FreeBytes().
void* AllocateForXnnpack(size_t bytes);

/// Returns how often XNNPACK asked for memory when it should not have. Zero, or there is a
/// mistake in an operator.
size_t RefusedXnnpackAllocations();

}  // namespace vitrine
