// SPDX-License-Identifier: Apache-2.0
// Memory that grows and never shrinks, so that work of the same size allocates once.
#pragma once

#include <vitrine/status.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>

namespace vitrine {

/// One piece of memory, move only. Its contents do not survive growing.
class ScratchMemory {
 public:
  static constexpr size_t kAlignment = 64;

  ScratchMemory() = default;
  ScratchMemory(ScratchMemory&& other) noexcept { *this = std::move(other); }
  ScratchMemory& operator=(ScratchMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~ScratchMemory() { std::free(data_); }

  /// Makes data() at least `bytes` long; allocates only when it was shorter. Fails with kOutOfMemory.
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

/// Rounds a size up so that what follows it in a block is aligned too.
constexpr size_t AlignUp(size_t bytes) {
  return (bytes + ScratchMemory::kAlignment - 1) / ScratchMemory::kAlignment * ScratchMemory::kAlignment;
}

}  // namespace vitrine
