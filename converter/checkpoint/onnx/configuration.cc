// SPDX-License-Identifier: Apache-2.0
// The configuration of a model, read from its ONNX graph.
#include <algorithm>
#include <cmath>

#include "converter/checkpoint/onnx/graph.h"

namespace vitrine::checkpoint {
namespace {

using nlohmann::json;

struct HeadShape {
  int64_t heads = 0, size = 0;
};

class ConfigurationReader {
 public:
  explicit ConfigurationReader(const OnnxGraph& graph) : graph_(graph) {}

  json Run() {
    for (const OnnxNode& node : graph_.model().nodes) {
      if (node.outputs.empty()) continue;
      if (node.op == "LayerNormalization" || node.op == "Sqrt") ReadNorm(node);
      if (node.op == "Softmax" || node.op == "Attention") ReadAttention(node);
      if (node.op == "ReduceMean") ReadMean(node);
      ReadActivation(node);
    }
    const std::vector<int64_t>& image = graph_.model().image_shape;
    if (image.size() == 4 && image[2] > 0 && image[3] > 0) configuration_["img_size"] = {image[2], image[3]};
    return configuration_;
  }

 private:
  void Set(const char* key, const json& value) {
    if (!configuration_.contains(key)) configuration_[key] = value;
  }

  // A norm is one operator, or has sqrt(variance + epsilon).
  void ReadNorm(const OnnxNode& node) {
    if (const OnnxAttribute* epsilon = node.Find("epsilon")) Set("layer_norm_eps", epsilon->real);
    const OnnxNode* sum = node.op == "Sqrt" ? graph_.Producer(node.input(0)) : nullptr;
    if (!sum || sum->op != "Add") return;
    for (const std::string_view input : sum->inputs) {
      if (const auto epsilon = graph_.Scalar(input); epsilon && *epsilon < 1e-2)
        Set("layer_norm_eps", *epsilon);
    }
  }

  // gelu(x) = x (1 + erf(x / sqrt 2)) / 2, or with tanh(.. x^3 ..); quick_gelu(x) = x sigmoid(1.702 x)
  void ReadActivation(const OnnxNode& node) {
    if (node.op == "Gelu") {
      const OnnxAttribute* approximate = node.Find("approximate");
      Set("act_layer", approximate && approximate->text == "tanh" ? "gelu_tanh" : "gelu");
    } else if (node.op == "Erf") {
      Set("act_layer", "gelu");
    } else if (node.op == "Swish") {
      Set("act_layer", "silu");
    } else if (node.op == "Sigmoid") {
      const OnnxNode* scaled = graph_.Producer(node.input(0));
      const bool quick =
          scaled && scaled->op == "Mul" &&
          std::any_of(scaled->inputs.begin(), scaled->inputs.end(), [&](std::string_view input) {
            const std::optional<double> factor = graph_.Scalar(input);
            return factor && std::abs(*factor - 1.702) < 1e-3;
          });
      Set("act_layer", quick ? "quick_gelu" : "silu");
    } else if (node.op == "Tanh") {
      // The activation's tanh reads a product with sqrt(2 / pi); a pooler's tanh reads a linear layer.
      const OnnxNode* scaled = graph_.Producer(node.input(0));
      if (scaled && scaled->op == "Mul") Set("act_layer", "gelu_tanh");
    }
  }

  void ReadMean(const OnnxNode& node) {
    const OnnxAttribute* attribute = node.Find("axes");
    const std::vector<int64_t> axes = attribute ? attribute->integers : graph_.Integers(node.input(1));
    // A classifier of class token and mean reads both in one vector: that is not mean pooling.
    const std::vector<OnnxGraph::Use>& uses = graph_.Uses(node.outputs[0]);
    const bool joined = std::any_of(uses.begin(), uses.end(),
                                    [](const OnnxGraph::Use& use) { return use.node->op == "Concat"; });
    if (axes == std::vector<int64_t>{1} && !joined) Set("global_pool", "avg");
  }

  // The first attention represents all.
  void ReadAttention(const OnnxNode& node) {
    if (configuration_.contains("num_heads")) return;
    double scale = 1;
    const OnnxNode* product = node.op == "Softmax" ? Product(node.input(0), &scale) : &node;
    if (!product || product->inputs.size() < 2) return;
    const HeadShape heads = Heads(product->input(0), &scale);
    Heads(product->input(1), &scale);
    if (heads.heads < 1) return;
    Set("num_heads", heads.heads);
    const double usual = 1 / std::sqrt(static_cast<double>(heads.size));
    if (product->op == "Attention") {
      const OnnxAttribute* given = product->Find("scale");
      scale *= given ? given->real : usual;
    }
    if (std::abs(scale / usual - 1) > 1e-4) Set("qk_scale", scale);
  }

  /// Follows the softmax back to Q K^T, through masks and factors.
  const OnnxNode* Product(std::string_view value, double* scale) const {
    const OnnxNode* node = graph_.Producer(value);
    for (int depth = 0; node && node->op != "MatMul" && depth < 8; ++depth) node = Back(*node, scale);
    return node && node->op == "MatMul" ? node : nullptr;
  }

  /// Returns the producer of the value that `node` scales, adds to or moves; nullptr for any other node.
  /// Multiplies `scale` by the factor. A factor that the graph computes (as PyTorch does with head_size^-0.5)
  /// makes it NaN: unknown.
  const OnnxNode* Back(const OnnxNode& node, double* scale) const {
    if (OnlyMoves(node.op)) return graph_.Producer(node.input(0));
    if (node.op != "Mul" && node.op != "Div" && node.op != "Add") return nullptr;
    const size_t operand = graph_.Roots(node.input(0)).empty() ? 1 : 0;
    if (node.op != "Add") {
      const double factor = graph_.Scalar(node.input(operand)).value_or(std::nan(""));
      *scale *= node.op == "Mul" ? factor : operand == 1 ? 1 / factor : std::nan("");
    }
    return graph_.Producer(node.input(1 - operand));
  }

  /// Follows a query or key back to its linear layer, through the reshape that splits it into heads.
  HeadShape Heads(std::string_view value, double* scale) const {
    std::vector<HeadShape> seen;
    const OnnxNode* node = graph_.Producer(value);
    for (int depth = 0; node && depth < 16; ++depth) {
      if (node->op == "Reshape") seen.push_back(LastTwo(node->input(1)));
      if (node->op == "MatMul" || node->op == "Gemm") return Fitting(seen, *node);
      node = Back(*node, scale);
    }
    return {};
  }

  /// Returns the shape that divides a layer's outputs, or a third of them if the layer is query, key and
  /// value.
  HeadShape Fitting(const std::vector<HeadShape>& seen, const OnnxNode& layer) const {
    const std::vector<OnnxConstant> weight = graph_.Roots(layer.input(1));
    if (weight.size() != 1 || weight[0].tensor->shape.size() != 2) return {};
    const std::vector<int64_t>& shape = weight[0].tensor->shape;
    const int64_t outputs = std::max(shape[0], shape[1]), inputs = std::min(shape[0], shape[1]);
    for (HeadShape heads : seen) {
      // transformers leaves the number of heads open: [..., -1, size].
      if (heads.heads < 0 && heads.size > 0 && inputs == outputs) heads.heads = outputs / heads.size;
      const int64_t width = heads.heads * heads.size;
      if (width > 0 && (width == outputs || width == inputs || 3 * width == outputs)) return heads;
    }
    return {};
  }

  /// Returns the last two numbers of a shape, which is one constant or a concatenation.
  HeadShape LastTwo(std::string_view shape) const {
    std::vector<int64_t> sizes = graph_.Integers(shape);
    const OnnxNode* node = graph_.Producer(shape);
    if (sizes.empty() && node && node->op == "Concat") {
      for (const std::string_view input : node->inputs) {
        const std::vector<int64_t> part = graph_.Integers(input);
        sizes.insert(sizes.end(), part.begin(), part.end());
        if (part.empty()) sizes.push_back(0);
      }
    }
    constexpr int64_t kLargest = 1 << 20;
    if (sizes.size() < 3) return {};
    const HeadShape heads{sizes[sizes.size() - 2], sizes.back()};
    const bool whole = heads.heads < kLargest && heads.size > 0 && heads.size < kLargest;
    return whole ? heads : HeadShape();
  }

  const OnnxGraph& graph_;
  json configuration_ = json::object();
};

}  // namespace

json OnnxConfiguration(const OnnxGraph& graph) { return ConfigurationReader(graph).Run(); }

}  // namespace vitrine::checkpoint
