// SPDX-License-Identifier: Apache-2.0
// A checkpoint's file as memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "runtime/base/memory.h"

namespace vitrine::checkpoint {

/// The runtime's, with its path, and failing with an Error. The bytes stay where they are when the object
/// moves.
class MappedFile {
 public:
  /// Maps `path`. Error when it is not there, cannot be read, is a folder or is empty.
  explicit MappedFile(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  /// The file's name without its folder: what error messages begin with.
  std::string name() const { return path_.filename().string(); }
  std::span<const std::byte> bytes() const { return std::as_bytes(file_.bytes()); }

  /// Gives the pages that hold `part` back to the system when `part` lies in this file; does nothing
  /// otherwise. The bytes stay readable: they come from the page cache again.
  void Release(std::span<const std::byte> part) const;

 private:
  std::filesystem::path path_;
  vitrine::MappedFile file_;
};

}  // namespace vitrine::checkpoint
