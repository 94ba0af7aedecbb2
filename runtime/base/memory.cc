// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vitrine/library.hpp>

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

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<uint8_t*>(data_), size_);
}

Result<MappedFile> MappedFile::Open(const char* path) {
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // does not wait for a writer of a pipe
  if (file < 0) return Status::Error(Code::kNotFound, "%s: %s", path, std::strerror(errno));
  struct stat info;
  if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(file);
    return Status::Error(Code::kInvalidArgument, "%s: is not a file", path);
  }
  if (info.st_size == 0) {
    close(file);
    return Status::Error(Code::kInvalidArgument, "%s: is empty", path);
  }
  const size_t size = static_cast<size_t>(info.st_size);
  void* data = mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (data == MAP_FAILED) return Status::Error(Code::kOutOfMemory, "%s: cannot map %zu bytes", path, size);
  MappedFile mapped;
  mapped.data_ = static_cast<const uint8_t*>(data);
  mapped.size_ = size;
  return mapped;
}

void MappedFile::Release(std::span<const uint8_t> bytes) const {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t file_begin = reinterpret_cast<uintptr_t>(data_), file_end = file_begin + size_;
  const uintptr_t begin = reinterpret_cast<uintptr_t>(bytes.data()), end = begin + bytes.size();
  if (begin < file_begin || end > file_end) return;
  // A page at either end that also holds other bytes is released too; it is clean, so it costs no more than a reread.
  const uintptr_t first_page = begin / page * page;
  madvise(reinterpret_cast<void*>(first_page), end - first_page, MADV_DONTNEED);
}

}  // namespace vitrine
