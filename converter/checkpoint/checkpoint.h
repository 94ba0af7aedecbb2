// SPDX-License-Identifier: Apache-2.0
// Checkpoint: trained weights as named tensors, whatever file the ecosystem keeps them in.
//
//   file or folder --which container?--> reader --> state dict --common prefixes off--> tensors()
//
// Files are mapped and tensors are views into them: opening copies nothing (the exception is a compressed
// archive entry) and executes nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "converter/checkpoint/readers.h"
#include "converter/checkpoint/mapped_file.h"
#include "converter/checkpoint/tensor.h"

namespace vitrine::checkpoint {

/// Move only; owns the mappings that its tensors view. Const methods may be called from many threads.
class Checkpoint {
 public:
  /// Opens a checkpoint: .safetensors, PyTorch .pth/.pt/.bin/.pth.tar (zip, or the format from before 1.6),
  /// .npz, .onnx, an index of shards (model.safetensors.index.json), or a folder as downloaded from the
  /// Hugging Face hub. The content decides, not the file's name. `patterns` restores the names that an ONNX
  /// exporter dropped, and tells which training heads to leave out. Error for any other file, with what it is
  /// where that is known.
  static Checkpoint Open(const std::filesystem::path& file_or_folder, const NamePatterns& patterns = {});

  const std::map<std::string, Tensor>& tensors() const { return contents_.tensors; }

  /// What the file says beside the tensors: safetensors' `__metadata__`, an index's `metadata`, or a torch
  /// checkpoint's other entries ("epoch", "args": {...}), objects as their attributes, tensors as null.
  const nlohmann::json& metadata() const { return contents_.metadata; }

  /// "safetensors", "PyTorch", "PyTorch (legacy)", "NumPy" or "ONNX".
  const std::string& format() const { return contents_.format; }

  /// Whether a bias that is not there may be zero: exporters of graphs leave such additions out.
  bool omits_zeros() const { return contents_.omits_zeros; }

  /// What a person may want to know about the choice that was made: "weights taken from 'model_ema'".
  const std::vector<std::string>& notes() const { return contents_.notes; }

  /// The files that were read, shards in the order of their names.
  std::vector<std::filesystem::path> files() const;
  uint64_t file_bytes() const;

  /// SHA-256 in hexadecimal: of the file as `sha256sum` prints it, or of all shards one behind the other.
  std::string Sha256() const;

  /// Lets the tensor's pages go; it can still be read, from disk again. Call after the
  /// last use, to stay small.
  void Release(const Tensor& tensor) const;

 private:
  Checkpoint() = default;

  std::vector<MappedFile> files_;
  Contents contents_;
};

}  // namespace vitrine::checkpoint
