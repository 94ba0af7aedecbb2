// SPDX-License-Identifier: Apache-2.0
#include "converter/checkpoint/onnx/weights.h"

#include "converter/checkpoint/onnx/names.h"
#include "converter/checkpoint/onnx/refusal.h"

namespace vitrine::checkpoint {
namespace {

/// A convolution or a norm: weight and bias have their own names, or the module's.
void NameAffine(const OnnxNode& node, OnnxNames* names) {
  const std::optional<OnnxConstant> weight = names->Read(node.input(1)), bias = names->Read(node.input(2));
  if (!weight || !IsFloat(*weight->tensor)) return;
  std::string module(WithoutEnd(weight->name, ".weight"));
  // Where several modules' tensors were equal, all of them read the first one's.
  const bool own = names->IsParameter(weight->name) && !names->IsClaimed(weight->name);
  if (!node.scope.empty() && !own) module = node.scope;
  if (module.empty()) return;
  names->Claim(module + ".weight", *weight->tensor);
  if (bias) names->Claim(module + ".bias", *bias->tensor);
}

/// Layer scale, which may read another module's vector that was equal.
void NameScale(const OnnxNode& node, OnnxNames* names) {
  for (const auto& [module, parameter] : names->patterns().scales) {
    if (!node.scope.ends_with(module)) continue;
    for (const std::string_view input : node.inputs) {
      const std::optional<OnnxConstant> scale = names->Read(input);
      if (scale && scale->tensor->shape.size() == 1) names->Claim(node.scope + parameter, *scale->tensor);
    }
  }
}

}  // namespace

std::map<std::string, Tensor> NameOnnxWeights(const OnnxGraph& graph, const NamePatterns& patterns,
                                              std::vector<std::unique_ptr<std::byte[]>>* copies) {
  RefuseForeignGraph(graph);
  OnnxNames names(graph, patterns, copies);
  const OnnxNode* patch = nullptr;
  for (const OnnxNode& node : graph.model().nodes) {
    if (node.outputs.empty()) continue;
    if (node.op == "Conv" || node.op == "LayerNormalization") NameAffine(node, &names);
    if (node.op == "Conv") patch = &node;
    if (node.op == "MatMul" || node.op == "Gemm") NameLinear(node, &names);
    if (node.op == "Attention") NameProbe(node, &names);
    if (node.op == "Mul") NameScale(node, &names);
    if (patch && (node.op == "Concat" || node.op == "Add")) NameEmbedding(node, *patch, &names);
  }
  return names.tensors();
}

}  // namespace vitrine::checkpoint
