// SPDX-License-Identifier: Apache-2.0
#include "converter/checkpoint/onnx/names.h"

#include <algorithm>
#include <cctype>

#include "converter/error.h"

namespace vitrine::checkpoint {

bool IsFloat(const Tensor& tensor) {
  return tensor.dtype == DType::kF32 || tensor.dtype == DType::kF16 || tensor.dtype == DType::kBF16 ||
         tensor.dtype == DType::kF64;
}

std::string_view WithoutEnd(std::string_view name, std::string_view end) {
  return name.ends_with(end) ? name.substr(0, name.size() - end.size()) : std::string_view();
}

OnnxNames::OnnxNames(const OnnxGraph& graph, const NamePatterns& patterns,
                     std::vector<std::unique_ptr<std::byte[]>>* copies)
    : graph_(graph), patterns_(patterns), copies_(*copies) {
  for (const auto& [name, tensor] : graph_.model().constants) {
    if (IsParameter(name) && IsFloat(tensor)) tensors_.emplace(name, tensor);
  }
  // Exporters write equal tensors once. The outputs of Identity nodes have the others' names.
  for (const OnnxNode& node : graph_.model().nodes) {
    if (node.op != "Identity" || node.outputs.empty() || !IsParameter(node.outputs[0])) continue;
    const std::optional<OnnxConstant> constant = graph_.Constant(node.input(0));
    if (constant && IsFloat(*constant->tensor)) tensors_.emplace(node.outputs[0], *constant->tensor);
  }
}

bool OnnxNames::IsParameter(std::string_view name) const {
  if (patterns_.plain.contains(name)) return true;
  const bool plain = std::all_of(name.begin(), name.end(),
                                 [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '.'; });
  return plain && name.find('.') != std::string_view::npos &&
         !std::isdigit(static_cast<unsigned char>(name[0]));
}

bool OnnxNames::Claim(const std::string& name, const Tensor& tensor) {
  if (name.empty() || !claimed_.insert(name).second) return false;
  tensors_.insert_or_assign(name, tensor);
  return true;
}

Tensor OnnxNames::Stack(const std::vector<Tensor>& parts, size_t dimension) {
  Tensor all{DType::kF32, parts[0].shape, {}, {}};
  all.shape[dimension] = 0;
  int64_t elements = 0;
  for (const Tensor& part : parts) {
    std::vector<int64_t> shape = part.shape;
    if (shape.size() == all.shape.size()) shape[dimension] = 0;
    if (shape != all.shape) {
      Fail(graph_.model().file, ": ", ShapeText(part.shape), " does not fit ", ShapeText(parts[0].shape),
           " next to it");
    }
    elements += part.elements();
  }
  for (const Tensor& part : parts) all.shape[dimension] += part.shape[dimension];
  const size_t bytes = static_cast<size_t>(elements) * sizeof(float);
  auto copy = std::make_unique<std::byte[]>(bytes);
  for (float* at = reinterpret_cast<float*>(copy.get()); const Tensor& part : parts) {
    const size_t count = static_cast<size_t>(part.elements());
    ReadF32(part, {at, count});
    at += count;
  }
  all.bytes = {copy.get(), bytes};
  all.strides = RowMajorStrides(all.shape);
  copies_.push_back(std::move(copy));
  return all;
}

std::optional<OnnxConstant> OnnxNames::Read(std::string_view input) const {
  std::optional<OnnxConstant> constant = graph_.Constant(input);
  if (constant && IsParameter(input)) constant->name = input;
  return constant;
}

}  // namespace vitrine::checkpoint
