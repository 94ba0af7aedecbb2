// SPDX-License-Identifier: Apache-2.0
// Linear layers: exporters write their weights transposed and under made-up names.
#include <algorithm>

#include "converter/checkpoint/onnx/names.h"
#include "converter/error.h"

namespace vitrine::checkpoint {
namespace {

/// Returns the weight's name: "blocks.0.attn.qkv.bias" -> "blocks.0.attn.qkv.weight"; "in_proj_bias" ->
/// "in_proj_weight".
std::string WeightBeside(std::string_view bias) {
  for (const char separator : {'.', '_'}) {
    const std::string_view stem = WithoutEnd(bias, std::string(1, separator) + "bias");
    if (!stem.empty()) return std::string(stem) + separator + "weight";
  }
  return "";
}

Tensor Transposed(Tensor tensor) {
  std::swap(tensor.shape[0], tensor.shape[1]);
  std::swap(tensor.strides[0], tensor.strides[1]);
  return tensor;
}

class LinearNamer {
 public:
  explicit LinearNamer(OnnxNames* names) : names_(*names), graph_(names->graph()) {}

  void NameMatMul(const OnnxNode& node) {
    NameProbe(node, &names_);
    const std::optional<OnnxConstant> weight = graph_.Constant(node.input(1));
    if (!weight || weight->tensor->shape.size() != 2 || !IsFloat(*weight->tensor)) return;
    if (names_.IsParameter(weight->name)) return NameBias(node, weight->name, weight->tensor->shape[1]);
    NameLinear(node, Transposed(*weight->tensor));
  }

  void NameGemm(const OnnxNode& node) {
    const std::optional<OnnxConstant> weight = graph_.Constant(node.input(1));
    if (!weight || weight->tensor->shape.size() != 2) return;
    const OnnxAttribute* transposed = node.Find("transB");
    const Tensor tensor = transposed && transposed->integer ? *weight->tensor : Transposed(*weight->tensor);
    if (names_.IsParameter(weight->name)) return NameBias(node, weight->name, tensor.shape[0]);
    NameLinear(node, tensor);
  }

 private:
  /// Names the bias of a layer whose weight kept its name after the same module: it may read another module's
  /// tensor that is equal.
  void NameBias(const OnnxNode& node, std::string_view weight, int64_t outputs) {
    const std::optional<OnnxConstant> bias = Bias(node, outputs);
    const std::string_view module = WithoutEnd(weight, ".weight");
    if (bias && !module.empty()) names_.Claim(std::string(module) + ".bias", *bias->tensor);
  }

  /// Names a weight [outputs, inputs], as in a state dict, and its bias.
  void NameLinear(const OnnxNode& node, const Tensor& weight) {
    const std::optional<OnnxConstant> bias = Bias(node, weight.shape[0]);
    const auto claim = [&](const std::string& name, const std::string& bias_name) {
      if (!names_.Claim(name, weight)) return false;
      if (bias) names_.Claim(bias_name, *bias->tensor);
      return true;
    };
    if (bias && names_.IsParameter(bias->name) && claim(WeightBeside(bias->name), std::string(bias->name)))
      return;
    for (const std::string& module : {node.scope, QueryKeyOrValue(node, weight)}) {
      if (module.empty()) continue;
      // In torch.nn.MultiheadAttention, query, key and value are parameters and not modules.
      const bool multihead = names_.tensors().contains(module + ".out_proj.weight");
      const std::string stem = module + (multihead ? ".in_proj_" : ".");
      if (claim(stem + "weight", stem + "bias")) return;
      if (multihead && bias && Complete(stem, weight, *bias->tensor)) return;
    }
    Fail(graph_.model().file, ": ", Describe(node), " has a weight without a name, ",
         std::string(node.input(1)), " ", ShapeText(weight.shape), ", and no named bias or norm next to it");
  }

  /// Joins query with key and value, which an exporter has split. Returns false when the parts do not fit.
  bool Complete(const std::string& stem, const Tensor& weight, const Tensor& bias) {
    const Tensor first = names_.tensors().at(stem + "weight");
    const auto first_bias = names_.tensors().find(stem + "bias");
    if (first.shape.size() != 2 || first.shape[1] != weight.shape[1] ||
        first_bias == names_.tensors().end() || first.shape[0] + weight.shape[0] != 3 * weight.shape[1]) {
      return false;
    }
    names_.Replace(stem + "bias", names_.Stack({first_bias->second, bias}, 0));
    names_.Replace(stem + "weight", names_.Stack({first, weight}, 0));
    return true;
  }

  /// Returns the vector that is added to a linear layer's output.
  std::optional<OnnxConstant> Bias(const OnnxNode& node, int64_t outputs) const {
    const auto fits = [&](const std::optional<OnnxConstant>& constant) {
      return constant && constant->tensor->shape == std::vector<int64_t>{outputs};
    };
    if (node.op == "Gemm") {
      const std::optional<OnnxConstant> bias = names_.Read(node.input(2));
      return fits(bias) ? bias : std::nullopt;
    }
    for (const OnnxGraph::Use& use : graph_.Uses(node.outputs[0])) {
      if (use.node->op != "Add") continue;
      const std::optional<OnnxConstant> bias = names_.Read(use.node->input(1 - use.operand));
      if (fits(bias)) return bias;
    }
    return std::nullopt;
  }

  /// Returns "blocks.0.attn.qkv" for a layer that reads the norm "blocks.0.norm1"; empty when it reads no
  /// norm.
  std::string QueryKeyOrValue(const OnnxNode& node, const Tensor& weight) const {
    const std::string block = BlockOfNorm(node.input(0));
    if (block.empty()) return "";
    for (const NamePatterns::Attention& names : names_.patterns().attentions) {
      const std::string projection = block + names.projection + ".";
      const auto beside = names_.tensors().lower_bound(projection);
      if (beside == names_.tensors().end() || !beside->first.starts_with(projection)) continue;
      const bool together = names.parts[1].empty();
      int steps = 64;
      const int part = together ? 0 : AttentionOperand(node.outputs[0], &steps);
      if (part < 0 || (together && weight.shape[0] % 3 != 0)) return "";
      return block + names.parts[static_cast<size_t>(part)];
    }
    return "";
  }

  /// Returns "blocks.0" if `value` is the output of the norm "blocks.0.norm1", as one operator or as many.
  std::string BlockOfNorm(std::string_view value) const {
    const OnnxNode* node = graph_.Producer(value);
    for (int moves = 0; node && OnlyMoves(node->op) && moves < 8; ++moves)
      node = graph_.Producer(node->input(0));
    if (!node || (node->op != "LayerNormalization" && node->op != "Add")) return "";
    for (const std::string_view input : node->inputs) {
      if (!graph_.Constant(input) || !names_.IsParameter(input)) continue;
      const std::string_view norm = input.substr(0, input.rfind('.'));
      const size_t dot = norm.rfind('.');
      if (dot != std::string_view::npos) return std::string(norm.substr(0, dot));
    }
    return "";
  }

  /// Returns 0, 1 or 2 if `value` becomes attention's query, key or value through reshapes, transposes and
  /// scales;
  /// -1 if it becomes none within `steps` operators.
  int AttentionOperand(std::string_view value, int* steps) const {
    for (const OnnxGraph::Use& use : graph_.Uses(value)) {
      if (use.node->op == "Attention" && use.operand < 3) return static_cast<int>(use.operand);
      if (use.node->op == "MatMul") {
        if (use.operand == 0) return 0;
        return ComesFromSoftmax(use.node->input(0)) ? 2 : 1;
      }
      const bool scaled = use.node->op == "Mul" || use.node->op == "Div" || use.node->op == "Add";
      if (use.node->outputs.empty() || !(scaled || OnlyMoves(use.node->op)) || --*steps < 0) continue;
      const int operand = AttentionOperand(use.node->outputs[0], steps);
      if (operand >= 0) return operand;
    }
    return -1;
  }

  bool ComesFromSoftmax(std::string_view value) const {
    const OnnxNode* node = graph_.Producer(value);
    for (int depth = 0; node && depth < 8; ++depth) {
      if (node->op == "Softmax") return true;
      // PyTorch replaces the NaNs of an empty softmax: Where(IsNaN(p), 0, p).
      node = graph_.Producer(node->input(node->op == "Where" ? 2 : 0));
    }
    return false;
  }

  OnnxNames& names_;
  const OnnxGraph& graph_;
};

}  // namespace

void NameLinear(const OnnxNode& node, OnnxNames* names) {
  LinearNamer namer(names);
  if (node.op == "Gemm") {
    namer.NameGemm(node);
  } else {
    namer.NameMatMul(node);
  }
}

void NameProbe(const OnnxNode& node, OnnxNames* names) {
  const OnnxGraph& graph = names->graph();
  const std::vector<OnnxConstant> roots = graph.Roots(node.input(0));
  if (roots.empty() || names->IsParameter(roots[0].name)) return;
  const std::vector<OnnxConstant> weight = graph.Roots(node.input(1));
  for (const auto& [weight_name, query] : names->patterns().learnt_queries) {
    if (weight.empty() || !weight[0].name.ends_with(weight_name)) continue;
    const std::string_view prefix = weight[0].name.substr(0, weight[0].name.size() - weight_name.size());
    names->Claim(std::string(prefix) + query, *roots[0].tensor);
    return;
  }
  Fail(graph.model().file, ": ", Describe(node), " reads a learnt query that the exporter folded into ",
       std::string(roots[0].name), "; export with a dynamic batch size, or convert the checkpoint itself");
}

}  // namespace vitrine::checkpoint
