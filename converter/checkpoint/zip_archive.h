// SPDX-License-Identifier: Apache-2.0
// ZipArchive: the entries of a mapped zip file. minizip reads the directory (ZIP64 too);
// stored entries are views.
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
    std::span<const std::byte> packed;  ///< as it stands in the file
    uint64_t bytes;                     ///< once inflated
    uint64_t crc32;
    bool deflated;
  };

  /// Reads the directory of `file`, which must outlive the archive's views. Error when it is damaged,
  /// encrypted, holds a name twice, or an entry that reaches outside of the file.
  explicit ZipArchive(const MappedFile& file);

  const std::map<std::string, Entry>& entries() const { return entries_; }

  /// The entry's content: a view of the file when it is stored, else inflated, checked against its CRC and
  /// kept until TakeInflated. Error when that fails, or when the archive inflates to over 64 times its size.
  std::span<const std::byte> Read(const std::string& name);

  /// Hands over the memory that Read's results for compressed entries view.
  std::vector<std::unique_ptr<std::byte[]>> TakeInflated() { return std::move(inflated_); }

 private:
  const MappedFile& file_;
  std::map<std::string, Entry> entries_;
  std::vector<std::unique_ptr<std::byte[]>> inflated_;
  uint64_t inflated_bytes_ = 0;
};

}  // namespace vitrine::checkpoint
