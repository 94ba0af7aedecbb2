// SPDX-License-Identifier: Apache-2.0
#include "converter/checkpoint/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "converter/error.h"

namespace vitrine::checkpoint {
namespace {

struct Descriptor {
  explicit Descriptor(const std::filesystem::path& path) : fd(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
  const int fd;
};

}  // namespace

MappedFile::MappedFile(std::filesystem::path path) : path_(std::move(path)) {
  const Descriptor file(path_);
  struct stat info;
  if (file.fd < 0 || fstat(file.fd, &info) != 0) {
    Fail(path_.string(), " cannot be read: ", std::strerror(errno));
  }
  if (!S_ISREG(info.st_mode)) Fail(path_.string(), " is not a file");
  if (info.st_size == 0) Fail(path_.string(), " is empty");
  const size_t size = static_cast<size_t>(info.st_size);
  void* address = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (address == MAP_FAILED) Fail(path_.string(), " cannot be mapped: ", std::strerror(errno));
  bytes_ = {static_cast<const std::byte*>(address), size};
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), bytes_(std::exchange(other.bytes_, {})) {}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void MappedFile::Release(std::span<const std::byte> part) const {
  const uintptr_t file_begin = reinterpret_cast<uintptr_t>(bytes_.data());
  const uintptr_t begin = reinterpret_cast<uintptr_t>(part.data());
  const uintptr_t end = begin + part.size();
  if (part.empty() || begin < file_begin || end > file_begin + bytes_.size()) return;
  // Rounded outwards: a neighbour's bytes on a shared page are only read again, never lost.
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t first = begin / page * page;
  madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED);
}

}  // namespace vitrine::checkpoint
