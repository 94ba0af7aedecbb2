// SPDX-License-Identifier: Apache-2.0
// OutputFile: the model file while it is made. It appears under its name when it is whole, or not at all.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "converter/lower/model_builder.h"

namespace vitrine {

/// Constants collect in a file without a name; Assemble puts them behind the metadata in a part file beside
/// the target, which Commit renames. Whatever else happens, an interrupt included, the part file is removed.
/// Every function throws Error when the disk refuses, with the reason. One at a time in a process.
class OutputFile final : public WeightStore {
 public:
  /// Fails now rather than after minutes when nothing can be written beside `target`.
  explicit OutputFile(std::filesystem::path target);
  ~OutputFile() override;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void Append(std::span<const uint8_t> bytes) override;
  /// Writes the part file: metadata, then all constants.
  void Assemble(std::span<const uint8_t> metadata);
  /// Overwrites the metadata of the part file with other ones of the same size.
  void ReplaceMetadata(std::span<const uint8_t> metadata);
  /// Gives the part file its name, once it is on the disk.
  void Commit();

  const std::filesystem::path& part() const { return part_; }

 private:
  [[noreturn]] void FailToWrite() const;
  void Write(int file, std::span<const uint8_t> bytes) const;

  std::filesystem::path target_, part_;
  int weights_ = -1, file_ = -1;
};

}  // namespace vitrine
