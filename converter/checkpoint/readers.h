// SPDX-License-Identifier: Apache-2.0
// The readers, one a container, what they are given (NamePatterns) and what they find in a file (Contents).
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "converter/checkpoint/mapped_file.h"
#include "converter/checkpoint/tensor.h"

namespace vitrine::checkpoint {

class ZipArchive;

/// The names of models' parameters. Readers know no model family; converter/family makes this from its tables.
/// A name is compared with the end of a tensor's name, because wrapping modules add prefixes. An empty name: the
/// model has no such parameter.
struct NamePatterns {
  /// The parameters before the blocks, next to the patch embedding.
  struct Embedding {
    std::string patch;  ///< "patch_embed.proj"
    std::string class_token, distillation_token, registers, positions;
  };
  /// The linear layers of a block's attention, without the block's own name.
  struct Attention {
    std::string projection;            ///< ".attn.proj"
    std::array<std::string, 3> parts;  ///< query, key, value; one layer for all three: ".attn.qkv", "", ""
  };
  /// Layer scale: the module's name in a block and its parameter's, ".ls1" and ".gamma".
  struct Scale {
    std::string module, parameter;
  };
  /// Attention pooling's learnt query and the weight that multiplies it.
  struct LearntQuery {
    std::string weight, query;
  };
  /// A head that only training needs, saved next to the backbone.
  struct TrainingHead {
    std::string title;                  ///< for people
    std::string sign;                   ///< a tensor that the backbone has
    std::vector<std::string> prefixes;  ///< of the head's tensors
  };

  std::set<std::string, std::less<>> plain;  ///< parameters whose names have no dot: "cls_token"
  std::vector<Embedding> embeddings;
  std::vector<Attention> attentions;
  std::vector<Scale> scales;
  std::vector<LearntQuery> learnt_queries;
  std::vector<TrainingHead> training_heads;
};

struct Contents {
  std::string format;
  std::map<std::string, Tensor> tensors;
  nlohmann::json metadata = nlohmann::json::object();
  std::vector<std::string> notes;
  bool omits_zeros = false;                            ///< a missing bias means zeros
  std::vector<std::unique_ptr<std::byte[]>> inflated;  ///< memory of decompressed tensors
  std::vector<MappedFile> data_files;                  ///< further files that hold tensors
};

Contents ReadSafetensors(const MappedFile& file);
Contents ReadTorchZip(const MappedFile& file, ZipArchive& archive);
Contents ReadTorchLegacy(const MappedFile& file);
Contents ReadNpz(const MappedFile& file, ZipArchive& archive);
Contents ReadOnnx(const MappedFile& file, const NamePatterns& patterns);

/// Returns whether `bytes` begin like an ONNX file, which has no magic number.
bool LooksLikeOnnx(std::span<const std::byte> bytes);

/// Returns what a file is if it is not a checkpoint, "a web page, not the weights: ..."; empty when unknown.
std::string NameOtherFile(std::span<const std::byte> bytes);

/// Returns `text` with every byte that is not UTF-8 replaced, for JSON and terminals.
std::string Utf8(std::string_view text);

/// Reads one file with the reader for its content. Error for a file that is no checkpoint, with what it is
/// instead.
Contents ReadFile(const MappedFile& file, const NamePatterns& patterns);

}  // namespace vitrine::checkpoint
