// SPDX-License-Identifier: Apache-2.0
// XNNPACK's start, its threads and its memory. XNNPACK keeps the first allocator that a process gives it:
// ours.
#pragma once

#include <cstddef>
#include <memory>
#include <vitrine/status.hpp>

struct pthreadpool;

namespace vitrine {

/// Starts XNNPACK once per process; later calls return at once. Thread-safe. Fails with kUnsupportedCpu when
/// this CPU lacks instructions that XNNPACK needs.
Status StartXnnpack();

/// Returns `count` threads, the caller's among them, or null when the system cannot start them.
std::shared_ptr<pthreadpool> StartThreads(size_t count);

/// Permits XNNPACK's allocations on this thread during its lifetime. Without it they are refused and counted,
/// so that no frame allocates.
class XnnpackMemory {
 public:
  XnnpackMemory();
  ~XnnpackMemory();
  XnnpackMemory(const XnnpackMemory&) = delete;
  XnnpackMemory& operator=(const XnnpackMemory&) = delete;

  /// Returns the bytes that XNNPACK has allocated on this thread since this object was made, mostly packed
  /// weights.
  size_t bytes() const;
};

/// Returns the Status for an xnn_status. `asked` completes the message: "XNNPACK cannot " "create an
/// operator".
Status CheckXnnpack(int status, const char* asked);

/// Returns 64-byte aligned memory that counts as XNNPACK's, or null while XNNPACK may not allocate. Free it
/// with FreeBytes().
void* AllocateForXnnpack(size_t bytes);

/// Returns the number of refused allocations. It is 0 unless an operator has a bug.
size_t RefusedXnnpackAllocations();

}  // namespace vitrine
