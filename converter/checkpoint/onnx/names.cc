// SPDX-License-Identifier: Apache-2.0
#include "converter/checkpoint/onnx/names.h"

#include <algorithm>
#include <cctype>
#include <iterator>

namespace vitrine::checkpoint {

bool IsFloat(const Tensor& tensor) {
  return tensor.dtype == DType::kF32 || tensor.dtype == DType::kF16 || tensor.dtype == DType::kBF16 ||
         tensor.dtype == DType::kF64;
}

bool IsParameter(std::string_view name) {
  static constexpr std::string_view kTop[] = {"cls_token",
                                              "dist_token",
                                              "reg_token",
                                              "pos_embed",
                                              "class_token",
                                              "mask_token",
                                              "register_tokens",
                                              "class_embedding",
                                              "positional_embedding",
                                              "storage_tokens",
                                              "proj"};
  if (std::find(std::begin(kTop), std::end(kTop), name) != std::end(kTop)) return true;
  const bool plain = std::all_of(name.begin(), name.end(),
                                 [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '.'; });
  return plain && name.find('.') != std::string_view::npos &&
         !std::isdigit(static_cast<unsigned char>(name[0]));
}

std::string_view WithoutEnd(std::string_view name, std::string_view end) {
  return name.ends_with(end) ? name.substr(0, name.size() - end.size()) : std::string_view();
}

OnnxNames::OnnxNames(const OnnxGraph& graph) : graph_(graph) {
  for (const auto& [name, tensor] : graph_.model().constants) {
    if (IsParameter(name) && IsFloat(tensor)) tensors_.emplace(name, tensor);
  }
  // Equal tensors are written once; the others' names are those of Identity nodes' outputs.
  for (const OnnxNode& node : graph_.model().nodes) {
    if (node.op != "Identity" || node.outputs.empty() || !IsParameter(node.outputs[0])) continue;
    const std::optional<OnnxConstant> constant = graph_.Constant(node.input(0));
    if (constant && IsFloat(*constant->tensor)) tensors_.emplace(node.outputs[0], *constant->tensor);
  }
}

bool OnnxNames::Claim(const std::string& name, const Tensor& tensor) {
  if (name.empty() || !claimed_.insert(name).second) return false;
  tensors_.insert_or_assign(name, tensor);
  return true;
}

std::optional<OnnxConstant> OnnxNames::Read(std::string_view input) const {
  std::optional<OnnxConstant> constant = graph_.Constant(input);
  if (constant && IsParameter(input)) constant->name = input;
  return constant;
}

}  // namespace vitrine::checkpoint
