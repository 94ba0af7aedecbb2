// SPDX-License-Identifier: Apache-2.0
// OnnxModel: an ONNX file's graph, and its constants as views of the file.
// The format is a protobuf; onnx.proto in github.com/onnx/onnx names its fields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "converter/checkpoint/mapped_file.h"
#include "converter/checkpoint/tensor.h"

namespace vitrine::checkpoint {

struct OnnxAttribute {
  std::string_view name;
  int64_t integer = 0;
  float real = 0;
  std::string_view text;
  std::vector<int64_t> integers;
  std::optional<Tensor> tensor;
};

/// One operator. Strings view the file.
struct OnnxNode {
  std::string_view op, domain, name;  ///< domain is empty for ONNX's own operators
  std::string scope;                  ///< the module that it was exported from: "blocks.0.attn.qkv"
  std::vector<std::string_view> inputs, outputs;  ///< an omitted input is empty
  std::vector<OnnxAttribute> attributes;

  /// Returns nullptr when there is none of this name.
  const OnnxAttribute* Find(std::string_view attribute) const;
  std::string_view input(size_t i) const { return i < inputs.size() ? inputs[i] : std::string_view(); }
};

struct OnnxModel {
  std::string file;
  std::vector<OnnxNode> nodes;                           ///< each after the nodes whose outputs it reads
  std::map<std::string, Tensor, std::less<>> constants;  ///< initializers and the outputs of Constant nodes
  std::vector<int64_t> image_shape;    ///< of the first input that is not a constant; -1: variable
  std::vector<MappedFile> data_files;  ///< further files with the larger tensors
  std::vector<std::unique_ptr<std::byte[]>> copies;  ///< memory of constants that no file has in plain form
};

/// Reads `file`, which must outlive the model. Error when it is damaged or consists of functions.
OnnxModel ParseOnnx(const MappedFile& file);

/// Returns "node /blocks.0/attn/MatMul (MatMul)", for messages.
std::string Describe(const OnnxNode& node);

}  // namespace vitrine::checkpoint
