// SPDX-License-Identifier: Apache-2.0
// OutputFile: a model file under construction, which appears under its name when it is complete.
#pragma once

#include <filesystem>
#include <span>
#include <utility>

#include "converter/lower/model_builder.h"

namespace vitrine {

/// An open file descriptor, closed at the end.
class FileDescriptor {
 public:
  explicit FileDescriptor(int number = -1) : number_(number) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  int number() const { return number_; }
  bool ok() const { return number_ >= 0; }

 private:
  int number_;
};

/// Collects the constants in a file without a name. Assemble writes them after the metadata to a second file without a
/// name in the target's folder, and Commit gives that one the target's name. The system removes files without a name
/// however the process ends. A file system without such files (FAT, NFS) gets a file `TARGET.PID.part` instead, which
/// the destructor removes. Every function throws Error with the reason when the disk refuses.
class OutputFile final : public WeightStore {
 public:
  /// Throws at once when nothing can be written to the folder of `target`, or when `target` is a folder.
  explicit OutputFile(std::filesystem::path target);
  ~OutputFile() override;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void Append(std::span<const uint8_t> bytes) override;
  /// Writes the file: metadata, then all constants.
  void Assemble(std::span<const uint8_t> metadata);
  /// Overwrites the metadata by others of the same size.
  void ReplaceMetadata(std::span<const uint8_t> metadata);
  /// Writes the file to the disk and renames it to the target, which it replaces.
  void Commit();

  /// Returns a path by which this process can open the file before Commit.
  std::filesystem::path path() const;

 private:
  [[noreturn]] void FailToWrite() const;
  void Write(const FileDescriptor& file, std::span<const uint8_t> bytes) const;

  std::filesystem::path target_, part_;
  FileDescriptor weights_, file_;
  bool has_name_ = false;  ///< the file is at part_
};

}  // namespace vitrine
