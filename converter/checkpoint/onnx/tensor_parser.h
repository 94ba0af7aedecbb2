// SPDX-License-Identifier: Apache-2.0
// TensorProto: a tensor in the file, packed or plain, or in another file beside it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "converter/checkpoint/onnx/model.h"
#include "converter/checkpoint/onnx/proto.h"

namespace vitrine::checkpoint {

/// Adds the files that it maps and the copies that it makes to `model`, which must outlive it.
class OnnxTensorParser {
 public:
  OnnxTensorParser(const MappedFile& file, OnnxModel* model) : file_(file), model_(*model) {}

  /// Nothing for a type that no weight has: text, complex numbers, 4 bits. Sets `name` unless it is null.
  std::optional<Tensor> Parse(protozero::pbf_reader message, std::string_view* name);

 private:
  /// Integers, and halves as integers of 16 bits, that stand as varints.
  std::span<const std::byte> Pack(const std::vector<int64_t>& values, DType type);
  /// A tensor's bytes in a file beside this one: {location, offset, length}.
  std::span<const std::byte> ExternalBytes(const std::map<std::string_view, std::string_view>& entries,
                                           const std::string& where);
  const MappedFile& DataFile(const std::string& location, const std::string& where);

  const MappedFile& file_;
  OnnxModel& model_;
};

}  // namespace vitrine::checkpoint
