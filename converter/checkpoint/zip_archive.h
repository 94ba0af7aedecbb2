// SPDX-License-Identifier: Apache-2.0
// ZipArchive: the entries of a mapped zip file. minizip reads the directory (ZIP64 too). Uncompressed entries
// are views of the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "converter/checkpoint/mapped_file.h"

namespace vitrine::checkpoint {

class ZipArchive {
 public:
  struct Entry {
    std::span<const std::byte> packed;  ///< as in the file
    uint64_t bytes;                     ///< after decompression
    uint64_t crc32;
    bool deflated;
  };

  /// Reads the directory of `file`, which must outlive the archive's views. Error when it is damaged or
  /// encrypted, has a name twice, or an entry that reaches outside of the file.
  explicit ZipArchive(const MappedFile& file);

  const std::map<std::string, Entry>& entries() const { return entries_; }

  /// Returns the entry's content: a view of the file, or of memory if it is compressed. Checks the CRC of
  /// decompressed content. Error when that fails, or when the archive decompresses to over 64 times its size.
  std::span<const std::byte> Read(const std::string& name);

  /// Returns the memory of the decompressed entries. Results of Read keep pointing to it.
  std::vector<std::unique_ptr<std::byte[]>> TakeInflated() { return std::move(inflated_); }

 private:
  const MappedFile& file_;
  std::map<std::string, Entry> entries_;
  std::vector<std::unique_ptr<std::byte[]>> inflated_;
  uint64_t inflated_bytes_ = 0;
};

}  // namespace vitrine::checkpoint
