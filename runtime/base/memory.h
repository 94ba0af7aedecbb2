// SPDX-License-Identifier: Apache-2.0
// Memory: its alignment, large blocks, and files mapped into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <utility>
#include <vitrine/status.hpp>
#include <vitrine/status.hpp>

namespace vitrine {

/// Alignment of constants, buffers and scratch memory: a cache line, in bytes.
inline constexpr size_t kAlignment = 64;

/// Returns the smallest multiple of `multiple` that is at least n.
constexpr size_t RoundUp(size_t n, size_t multiple = kAlignment) {
  return (n + multiple - 1) / multiple * multiple;
}

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

/// Owns a read-only, shared mapping of a whole file. Move only. Any number of threads may read it.
class MappedFile {
 public:
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  /// Maps `path`. Fails with kNotFound when it cannot be opened, kInvalidArgument when it is not a regular file or is
  /// empty, kOutOfMemory when it cannot be mapped.
  static Result<MappedFile> Open(const char* path);

  std::span<const uint8_t> bytes() const { return {data_, size_}; }

  /// Removes the pages of these bytes from resident memory; the next access reads them from the file again. Does nothing
  /// for bytes outside the mapping.
  void Release(std::span<const uint8_t> bytes) const;

 private:
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace vitrine
