// SPDX-License-Identifier: Apache-2.0
// ONNX: the weights that a graph was exported with, under the names that they have in the model's state dict.
//
// Exporters fold: a linear layer's weight is written transposed under a name like "onnx::MatMul_261", a class
// token as "expand", interpolated positions as "cat_1". Such a tensor gets its name from its neighbours in
// the graph:
//
//   a linear layer's weight   its bias ("blocks.0.mlp.fc1.bias"); else the module that the exporter noted;
//                             else the norm before it, for a query, key or value without bias
//   tokens and positions      the patch embedding
#include <iterator>
#include <string_view>

#include "converter/checkpoint/onnx/graph.h"
#include "converter/checkpoint/onnx/model.h"
#include "converter/checkpoint/onnx/names.h"
#include "converter/checkpoint/readers.h"

namespace vitrine::checkpoint {
namespace {

/// Names weight and bias of a convolution or norm: they have their own names, or the module's.
void NameAffine(const OnnxNode& node, OnnxNames* names) {
  const std::optional<OnnxConstant> weight = names->Read(node.input(1)), bias = names->Read(node.input(2));
  if (!weight || !IsFloat(*weight->tensor)) return;
  std::string module(WithoutEnd(weight->name, ".weight"));
  // If several modules have equal tensors, all of them read the first one's.
  const bool own = names->IsParameter(weight->name) && !names->IsClaimed(weight->name);
  if (!node.scope.empty() && !own) module = node.scope;
  if (module.empty()) return;
  names->Claim(module + ".weight", *weight->tensor);
  if (bias) names->Claim(module + ".bias", *bias->tensor);
}

/// Names layer scale, which may read another module's vector that is equal.
void NameScale(const OnnxNode& node, OnnxNames* names) {
  for (const auto& [module, parameter] : names->patterns().scales) {
    if (!node.scope.ends_with(module)) continue;
    for (const std::string_view input : node.inputs) {
      const std::optional<OnnxConstant> scale = names->Read(input);
      if (scale && scale->tensor->shape.size() == 1) names->Claim(node.scope + parameter, *scale->tensor);
    }
  }
}

/// Returns every parameter by its name, as views of the model's constants or of memory added to `copies`.
/// Error with the node when the graph is not a plain Vision Transformer or a weight cannot be named.
std::map<std::string, Tensor> NameOnnxWeights(const OnnxGraph& graph, const NamePatterns& patterns,
                                              std::vector<std::unique_ptr<std::byte[]>>* copies) {
  RefuseOtherGraphs(graph);
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

}  // namespace

// A protobuf has no magic number. Field 1, the format's version, has one byte; then comes field 2, the
// producer's name, or field 7 or 8, the graph or the operator set.
bool LooksLikeOnnx(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.size() > 3 && text[0] == 0x08 && text[1] > 0 && text[1] < 32 &&
         (text[2] == 0x12 || text[2] == 0x3a || text[2] == 0x42);
}

Contents ReadOnnx(const MappedFile& file, const NamePatterns& patterns) {
  OnnxModel model = ParseOnnx(file);
  std::vector<std::unique_ptr<std::byte[]>> copies;
  Contents contents;
  contents.format = "ONNX";
  contents.omits_zeros = true;
  {
    const OnnxGraph graph(model);
    contents.tensors = NameOnnxWeights(graph, patterns, &copies);
    contents.metadata["graph"] = OnnxConfiguration(graph);
  }
  contents.inflated = std::move(model.copies);
  std::move(copies.begin(), copies.end(), std::back_inserter(contents.inflated));
  contents.data_files = std::move(model.data_files);
  return contents;
}

}  // namespace vitrine::checkpoint
