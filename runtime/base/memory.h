// SPDX-License-Identifier: Apache-2.0
// Large memory: from the system, or from the allocator that the caller has set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vitrine/vitrine.hpp>

#include "runtime/base/sizes.h"

namespace vitrine {

/// Returns `bytes` aligned to `alignment`, a power of two of at least 8, or null. Thread-safe.
void* AllocateBytes(size_t bytes, size_t alignment);
void FreeBytes(void* memory);

/// Makes SetAllocator() fail from now on, because memory from one allocator must go back to it.
void KeepAllocator();

/// Memory that grows and never shrinks, so that work of the same size allocates once. Growing loses the contents. Move
/// only.
class ScratchMemory {
 public:
  ScratchMemory() = default;
  ScratchMemory(ScratchMemory&& other) noexcept { *this = std::move(other); }
  ScratchMemory& operator=(ScratchMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~ScratchMemory() { std::free(data_); }

  /// Makes data() at least `bytes` long, aligned to kAlignment. Allocates only when it was shorter. Fails with
  /// kOutOfMemory.
  Status Reserve(size_t bytes) {
    if (bytes <= capacity_) return {};
    std::free(data_);
    capacity_ = 0;
    data_ = nullptr;
    void* memory = nullptr;
    if (posix_memalign(&memory, kAlignment, bytes) != 0) {
      return Status::Error(Code::kOutOfMemory, "no memory for %zu bytes of image", bytes);
    }
    data_ = static_cast<uint8_t*>(memory);
    capacity_ = bytes;
    return {};
  }

  uint8_t* data() const { return data_; }

 private:
  uint8_t* data_ = nullptr;
  size_t capacity_ = 0;
};

}  // namespace vitrine
