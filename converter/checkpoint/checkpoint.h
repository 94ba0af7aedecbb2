// SPDX-License-Identifier: Apache-2.0
// Checkpoint: trained weights as named tensors, read from any of the usual file formats.
//
//   file or folder --which container?--> reader --> state dict --without common prefixes--> tensors()
//
// Files are mapped and tensors are views of them. Opening copies nothing, except compressed archive entries,
// and executes nothing that the file contains.
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

/// Owns the mapped files that its tensors view. Move only. Several threads may call const methods at once.
class Checkpoint {
 public:
  /// Opens a checkpoint: .safetensors, PyTorch .pth/.pt/.bin/.pth.tar (zip, or the format from before 1.6),
  /// .npz, .onnx, an index of shards (model.safetensors.index.json), or a folder as downloaded from the
  /// Hugging Face hub. The content decides, not the file's name. `patterns` restores the names that an ONNX
  /// exporter dropped, and tells which training heads to leave out. Error for any other file, with what it is
  /// where that is known.
  static Checkpoint Open(const std::filesystem::path& file_or_folder, const NamePatterns& patterns = {});

  /// Returns the tensors by name.
  const std::map<std::string, Tensor>& tensors() const { return contents_.tensors; }

  /// Returns what the file has besides tensors: safetensors' `__metadata__`, an index's `metadata`, or a
  /// torch checkpoint's other entries ("epoch", "args": {...}), objects as their attributes, tensors as null.
  const nlohmann::json& metadata() const { return contents_.metadata; }

  /// Returns "safetensors", "PyTorch", "PyTorch (legacy)", "NumPy" or "ONNX".
  const std::string& format() const { return contents_.format; }

  /// Returns whether a missing bias means zeros: graph exporters leave such additions out.
  bool omits_zeros() const { return contents_.omits_zeros; }

  /// Returns notes for the user about the choices made: "weights taken from 'model_ema'".
  const std::vector<std::string>& notes() const { return contents_.notes; }

  /// Returns the files that were read, shards in the order of their names.
  std::vector<std::filesystem::path> files() const;
  /// Returns the sum of their sizes.
  uint64_t file_bytes() const;

  /// Returns the SHA-256 in hexadecimal: of the file, as `sha256sum` prints it, or of all shards
  /// concatenated.
  std::string Sha256() const;

  /// Gives the tensor's memory pages back to the system. Call it after the last use to save memory. The
  /// tensor can still be read; its pages then come from disk again.
  void Release(const Tensor& tensor) const;

 private:
  Checkpoint() = default;

  std::vector<MappedFile> files_;
  Contents contents_;
};

}  // namespace vitrine::checkpoint
