// SPDX-License-Identifier: Apache-2.0
// Contents: what a reader finds in one file, and the readers, one a container.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "converter/checkpoint/mapped_file.h"
#include "converter/checkpoint/tensor.h"

namespace vitrine::checkpoint {

class ZipArchive;

struct Contents {
  std::string format;
  std::map<std::string, Tensor> tensors;
  nlohmann::json metadata = nlohmann::json::object();
  std::vector<std::string> notes;
  std::vector<std::unique_ptr<std::byte[]>> inflated;  ///< what `tensors` view where the file was compressed
};

Contents ReadSafetensors(const MappedFile& file);
Contents ReadTorchZip(const MappedFile& file, ZipArchive& archive);
Contents ReadTorchLegacy(const MappedFile& file);
Contents ReadNpz(const MappedFile& file, ZipArchive& archive);

/// Reads one file of whatever container its content says. Error names what it is when it is no checkpoint.
Contents ReadFile(const MappedFile& file);

}  // namespace vitrine::checkpoint
