// SPDX-License-Identifier: Apache-2.0
// Graphs that are no plain Vision Transformer, or that have no float weights to read.
#include <algorithm>
#include <iterator>
#include <string>

#include "converter/checkpoint/onnx/graph.h"
#include "converter/error.h"

namespace vitrine::checkpoint {
namespace {

constexpr std::string_view kQuantized[] = {
    "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger",        "QLinearMatMul",
    "QLinearConv",    "ConvInteger",      "DynamicQuantizeMatMul", "MatMulIntegerToFloat", "QGemm",
    "QAttention",     "MatMulNBits"};
constexpr std::string_view kOther[] = {"BatchNormalization",
                                       "InstanceNormalization",
                                       "GroupNormalization",
                                       "MaxPool",
                                       "AveragePool",
                                       "GlobalMaxPool",
                                       "ConvTranspose",
                                       "LSTM",
                                       "GRU",
                                       "RNN",
                                       "Loop",
                                       "Scan",
                                       "NonMaxSuppression",
                                       "TopK",
                                       "GridSample"};

template <size_t N>
bool Contains(const std::string_view (&ops)[N], std::string_view op) {
  return std::find(std::begin(ops), std::end(ops), op) != std::end(ops);
}

bool AllAre(const OnnxAttribute* attribute, int64_t value) {
  return !attribute || std::all_of(attribute->integers.begin(), attribute->integers.end(),
                                   [&](int64_t number) { return number == value; });
}

std::string Sizes(const std::vector<int64_t>& sizes) {
  std::string text;
  for (const int64_t size : sizes) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

/// Error unless the convolution is a patch embedding: stride = kernel, no dilation or padding, one group.
void CheckConvolution(const OnnxGraph& graph, const OnnxNode& node) {
  const std::optional<OnnxConstant> weight = graph.Constant(node.input(1));
  const std::string& file = graph.model().file;
  if (!weight)
    Fail(file, ": ", Describe(node),
         " has weights that the model computes: this is not a plain Vision Transformer");
  const std::vector<int64_t>& shape = weight->tensor->shape;
  const std::vector<int64_t> kernel(shape.begin() + std::min<ptrdiff_t>(2, std::ssize(shape)), shape.end());
  const OnnxAttribute* strides = node.Find("strides");
  const OnnxAttribute* group = node.Find("group");
  const OnnxAttribute* automatic = node.Find("auto_pad");
  const bool padded = !AllAre(node.Find("pads"), 0) || (automatic && automatic->text.starts_with("SAME"));
  const bool patches = kernel.size() == 2 && strides && strides->integers == kernel && !padded &&
                       AllAre(node.Find("dilations"), 1) && (!group || group->integer == 1);
  if (patches) return;
  Fail(file, ": ", Describe(node), " is a convolution of ", Sizes(kernel), " with stride ",
       strides ? Sizes(strides->integers) : "1",
       ", not a patch embedding: this is not a plain Vision Transformer");
}

}  // namespace

void RefuseOtherGraphs(const OnnxGraph& graph) {
  const std::string& file = graph.model().file;
  bool attends = false, embeds = false;
  for (const OnnxNode& node : graph.model().nodes) {
    if (Contains(kQuantized, node.op)) {
      Fail(file, ": ", Describe(node),
           " is already quantized: convert the float model that it was made from");
    }
    if (!node.domain.empty()) {
      Fail(file, ": ", Describe(node), " comes from a graph optimizer: convert the model as it was exported");
    }
    if (Contains(kOther, node.op))
      Fail(file, ": ", Describe(node), " is not part of a plain Vision Transformer");
    if (node.op == "Conv") {
      CheckConvolution(graph, node);
      if (embeds)
        Fail(file, ": ", Describe(node), " is a second convolution: this is not a plain Vision Transformer");
      embeds = true;
    }
    attends |= node.op == "Softmax" || node.op == "Attention";
  }
  if (!embeds)
    Fail(file,
         " has no patch embedding, a convolution with stride = kernel: this is not a Vision Transformer");
  if (!attends) Fail(file, " has no attention: this is not a Vision Transformer");
}

}  // namespace vitrine::checkpoint
