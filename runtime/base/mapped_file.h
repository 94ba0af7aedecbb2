// SPDX-License-Identifier: Apache-2.0
// A file mapped read-only into memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vitrine/status.hpp>

namespace vitrine {

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
