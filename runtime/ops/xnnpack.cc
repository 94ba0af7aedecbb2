// SPDX-License-Identifier: Apache-2.0
#include "runtime/ops/xnnpack.h"

#include <pthreadpool.h>
#include <xnnpack.h>

#include <atomic>
#include <cstddef>

#include "runtime/base/memory.h"

namespace vitrine {
namespace {

thread_local int open_scopes = 0;
thread_local size_t bytes_taken = 0;
std::atomic<size_t> refused{0};

bool Take(size_t bytes) {
  if (open_scopes == 0) {
    refused.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  bytes_taken += bytes;
  return true;
}

void* AlignedAllocate(void*, size_t alignment, size_t bytes) {
  return Take(bytes) ? AllocateBytes(bytes, alignment) : nullptr;
}

void* Allocate(void*, size_t bytes) { return AlignedAllocate(nullptr, alignof(std::max_align_t), bytes); }

/// Never called: only convolutions and similar operators reallocate.
void* Reallocate(void*, void*, size_t) { return nullptr; }

void Deallocate(void*, void* pointer) { FreeBytes(pointer); }

// XNNPACK keeps the address, so it lives as long as the process.
constexpr xnn_allocator kAllocator = {nullptr, Allocate, Reallocate, Deallocate, AlignedAllocate, Deallocate};

// The room that program.cc leaves after each buffer.
static_assert(XNN_EXTRA_BYTES <= 64);

}  // namespace

Status StartXnnpack() {
  static const xnn_status status = xnn_initialize(&kAllocator);
  if (status == xnn_status_success) return {};
  return Status::Error(Code::kUnsupportedCpu, "XNNPACK does not run on this CPU (status %d)",
                       static_cast<int>(status));
}

std::shared_ptr<pthreadpool> StartThreads(size_t count) {
  return {pthreadpool_create(count), pthreadpool_destroy};
}

XnnpackMemory::XnnpackMemory() {
  if (open_scopes++ == 0) bytes_taken = 0;
}
XnnpackMemory::~XnnpackMemory() { --open_scopes; }
size_t XnnpackMemory::bytes() const { return bytes_taken; }

Status CheckXnnpack(int status, const char* asked) {
  if (status == xnn_status_success) return {};
  if (status == xnn_status_out_of_memory)
    return Status::Error(Code::kOutOfMemory, "no memory for packed weights");
  return Status::Error(Code::kInternal, "XNNPACK cannot %s (status %d)", asked, status);
}

void* AllocateForXnnpack(size_t bytes) { return AlignedAllocate(nullptr, 64, bytes); }

size_t RefusedXnnpackAllocations() { return refused.load(std::memory_order_relaxed); }

}  // namespace vitrine
