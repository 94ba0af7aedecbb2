// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/memory.h"

#include <atomic>
#include <cstdlib>

namespace vitrine {
namespace {

void* AllocateFromSystem(void*, size_t bytes, size_t alignment) {
  void* memory = nullptr;
  return posix_memalign(&memory, alignment, bytes) == 0 ? memory : nullptr;
}

void FreeToSystem(void*, void* memory) { std::free(memory); }

constinit Allocator allocator = {AllocateFromSystem, FreeToSystem, nullptr};
constinit std::atomic<bool> is_kept{false};

}  // namespace

void* AllocateBytes(size_t bytes, size_t alignment) {
  return allocator.allocate(allocator.context, bytes, alignment);
}

void FreeBytes(void* memory) {
  if (memory != nullptr) allocator.free(allocator.context, memory);
}

void KeepAllocator() { is_kept.store(true, std::memory_order_relaxed); }

Status SetAllocator(const Allocator& chosen) {
  if (is_kept.load(std::memory_order_relaxed))
    return Status::Error(Code::kInvalidArgument,
                         "the allocator must be set before the first model is opened");
  if ((chosen.allocate == nullptr) != (chosen.free == nullptr))
    return Status::Error(Code::kInvalidArgument, "an allocator needs both functions");
  allocator = chosen.allocate == nullptr ? Allocator{AllocateFromSystem, FreeToSystem, nullptr} : chosen;
  return {};
}

}  // namespace vitrine
