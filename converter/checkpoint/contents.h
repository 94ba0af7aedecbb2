// SPDX-License-Identifier: Apache-2.0
// Contents: what a reader finds in one file, and the readers, one a container.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "converter/checkpoint/mapped_file.h"
#include "converter/checkpoint/name_patterns.h"
#include "converter/checkpoint/tensor.h"

namespace vitrine::checkpoint {

class ZipArchive;

struct Contents {
  std::string format;
  std::map<std::string, Tensor> tensors;
  nlohmann::json metadata = nlohmann::json::object();
  std::vector<std::string> notes;
  bool omits_zeros = false;                            ///< a bias that is zero may have been left out
  std::vector<std::unique_ptr<std::byte[]>> inflated;  ///< what `tensors` view where the file was compressed
  std::vector<MappedFile> data_files;  ///< what they view where the file keeps them in others beside it
};

Contents ReadSafetensors(const MappedFile& file);
Contents ReadTorchZip(const MappedFile& file, ZipArchive& archive);
Contents ReadTorchLegacy(const MappedFile& file);
Contents ReadNpz(const MappedFile& file, ZipArchive& archive);
Contents ReadOnnx(const MappedFile& file, const NamePatterns& patterns);

/// Whether a file without any magic begins as an ONNX file does.
bool LooksLikeOnnx(std::span<const std::byte> bytes);

/// Reads one file of whatever container its content says. Error names what it is when it is no checkpoint.
Contents ReadFile(const MappedFile& file, const NamePatterns& patterns);

}  // namespace vitrine::checkpoint
