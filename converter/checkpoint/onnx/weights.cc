// SPDX-License-Identifier: Apache-2.0
#include "converter/checkpoint/onnx/weights.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <iterator>
#include <set>

#include "converter/checkpoint/onnx/refusal.h"
#include "converter/error.h"

namespace vitrine::checkpoint {
namespace {

bool IsFloat(const Tensor& tensor) {
  return tensor.dtype == DType::kF32 || tensor.dtype == DType::kF16 || tensor.dtype == DType::kBF16 ||
         tensor.dtype == DType::kF64;
}

/// Whether a name is a parameter's and not one that an exporter made up: identifiers between dots, or one of
/// the few that models have without a dot.
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

/// "blocks.0.attn.qkv.bias" -> "blocks.0.attn.qkv.weight"; "in_proj_bias" -> "in_proj_weight".
std::string WeightBeside(std::string_view bias) {
  for (const char separator : {'.', '_'}) {
    const std::string_view stem = WithoutEnd(bias, std::string(1, separator) + "bias");
    if (!stem.empty()) return std::string(stem) + separator + "weight";
  }
  return "";
}

/// What a family calls the parameters before its blocks, all behind one prefix.
struct EmbeddingNames {
  std::string_view patch;  ///< the convolution
  std::string_view class_token, distillation, registers, positions;
  size_t token_rank, positions_rank;
};

constexpr EmbeddingNames kEmbeddings[] = {
    {"patch_embed.proj", "cls_token", "dist_token", "reg_token", "pos_embed", 3, 3},
    {"embeddings.patch_embeddings.projection", "embeddings.cls_token", "embeddings.distillation_token",
     "embeddings.register_tokens", "embeddings.position_embeddings", 3, 3},
    {"embeddings.patch_embedding", "embeddings.class_embedding", "", "",
     "embeddings.position_embedding.weight", 1, 2},
    {"conv_proj", "class_token", "", "", "encoder.pos_embedding", 3, 3},
};

/// What a family calls query, key and value beside its projection; one name where they are one layer.
struct AttentionNames {
  std::string_view projection;
  std::array<std::string_view, 3> parts;
};

constexpr AttentionNames kAttentions[] = {
    {".attn.proj.", {".attn.qkv", "", ""}},
    {".attention.o_proj.", {".attention.q_proj", ".attention.k_proj", ".attention.v_proj"}},
    {".attention.output.dense.",
     {".attention.attention.query", ".attention.attention.key", ".attention.attention.value"}},
    {".self_attn.out_proj.", {".self_attn.q_proj", ".self_attn.k_proj", ".self_attn.v_proj"}},
};

class Namer {
 public:
  Namer(const OnnxGraph& graph, std::vector<std::unique_ptr<std::byte[]>>* copies)
      : graph_(graph), file_(graph.model().file), copies_(*copies) {}

  std::map<std::string, Tensor> Run() {
    TakeNamed();
    for (const OnnxNode& node : graph_.model().nodes) {
      if (!node.outputs.empty()) Visit(node);
    }
    return std::move(weights_);
  }

 private:
  void TakeNamed() {
    for (const auto& [name, tensor] : graph_.model().constants) {
      if (IsParameter(name) && IsFloat(tensor)) weights_.emplace(name, tensor);
    }
    // Equal tensors are written once; the others' names are those of Identity nodes' outputs.
    for (const OnnxNode& node : graph_.model().nodes) {
      if (node.op != "Identity" || node.outputs.empty() || !IsParameter(node.outputs[0])) continue;
      const std::optional<OnnxConstant> constant = graph_.Constant(node.input(0));
      if (constant && IsFloat(*constant->tensor)) weights_.emplace(node.outputs[0], *constant->tensor);
    }
  }

  void Visit(const OnnxNode& node) {
    if (node.op == "Conv") {
      NameAffine(node);
      patch_ = &node;
    } else if (node.op == "MatMul") {
      NameMatMul(node);
    } else if (node.op == "Gemm") {
      NameGemm(node);
    } else if (node.op == "Attention") {
      RefuseFoldedQuery(node);
    } else if (node.op == "LayerNormalization") {
      NameAffine(node);
    } else if (node.op == "Mul") {
      NameScale(node);
    } else if (node.op == "Concat") {
      NameTokens(node);
    } else if (node.op == "Add") {
      NamePositions(node);
    }
  }

  /// Gives a tensor its name, unless another one has it.
  bool Claim(const std::string& name, const Tensor& tensor) {
    if (name.empty() || !claimed_.insert(name).second) return false;
    weights_.insert_or_assign(name, tensor);
    return true;
  }

  /// The constant that an operator reads, by the name under which it reads it.
  std::optional<OnnxConstant> Read(std::string_view input) const {
    std::optional<OnnxConstant> constant = graph_.Constant(input);
    if (constant && IsParameter(input)) constant->name = input;
    return constant;
  }

  /// A convolution or a norm: weight and bias have their own names, or the module's.
  void NameAffine(const OnnxNode& node) {
    const std::optional<OnnxConstant> weight = Read(node.input(1)), bias = Read(node.input(2));
    if (!weight || !IsFloat(*weight->tensor)) return;
    std::string module(WithoutEnd(weight->name, ".weight"));
    // Where several modules' tensors were equal, all of them read the first one's.
    const bool own = IsParameter(weight->name) && !claimed_.contains(std::string(weight->name));
    if (!node.scope.empty() && !own) module = node.scope;
    if (module.empty()) return;
    Claim(module + ".weight", *weight->tensor);
    if (bias) Claim(module + ".bias", *bias->tensor);
  }

  /// Layer scale, which may read another module's vector that was equal.
  void NameScale(const OnnxNode& node) {
    static constexpr std::pair<std::string_view, std::string_view> kModules[] = {
        {".ls1", ".gamma"}, {".ls2", ".gamma"}, {".layer_scale1", ".lambda1"}, {".layer_scale2", ".lambda1"}};
    for (const auto& [module, leaf] : kModules) {
      if (!node.scope.ends_with(module)) continue;
      for (const std::string_view input : node.inputs) {
        const std::optional<OnnxConstant> scale = Read(input);
        if (scale && scale->tensor->shape.size() == 1) Claim(node.scope + std::string(leaf), *scale->tensor);
      }
    }
  }

  void NameMatMul(const OnnxNode& node) {
    RefuseFoldedQuery(node);
    const std::optional<OnnxConstant> weight = graph_.Constant(node.input(1));
    if (!weight || weight->tensor->shape.size() != 2 || !IsFloat(*weight->tensor)) return;
    if (IsParameter(weight->name)) return NameBias(node, weight->name, weight->tensor->shape[1]);
    NameLinear(node, Transposed(*weight->tensor));
  }

  /// Attention pooling's query, where an exporter has computed it.
  void RefuseFoldedQuery(const OnnxNode& node) const {
    const std::vector<OnnxConstant> roots = graph_.Roots(node.input(0));
    if (roots.empty() || IsParameter(roots[0].name)) return;
    Fail(file_, ": ", Describe(node), " reads a learnt query that the exporter has folded into ",
         std::string(roots[0].name), "; export with a dynamic batch size, or convert the checkpoint itself");
  }

  void NameGemm(const OnnxNode& node) {
    const std::optional<OnnxConstant> weight = graph_.Constant(node.input(1));
    if (!weight || weight->tensor->shape.size() != 2) return;
    const OnnxAttribute* transposed = node.Find("transB");
    const Tensor tensor = transposed && transposed->integer ? *weight->tensor : Transposed(*weight->tensor);
    if (IsParameter(weight->name)) return NameBias(node, weight->name, tensor.shape[0]);
    NameLinear(node, tensor);
  }

  /// The bias of a layer whose weight has kept its name: the same module's, whatever equal tensor it reads.
  void NameBias(const OnnxNode& node, std::string_view weight, int64_t outputs) {
    const std::optional<OnnxConstant> bias = Bias(node, outputs);
    const std::string_view module = WithoutEnd(weight, ".weight");
    if (bias && !module.empty()) Claim(std::string(module) + ".bias", *bias->tensor);
  }

  /// `weight` is [outputs, inputs], as state dicts have it.
  void NameLinear(const OnnxNode& node, const Tensor& weight) {
    const std::optional<OnnxConstant> bias = Bias(node, weight.shape[0]);
    const auto claim = [&](const std::string& name, const std::string& bias_name) {
      if (!Claim(name, weight)) return false;
      if (bias) Claim(bias_name, *bias->tensor);
      return true;
    };
    if (bias && IsParameter(bias->name) && claim(WeightBeside(bias->name), std::string(bias->name))) return;
    for (const std::string& module : {node.scope, QueryKeyOrValue(node, weight)}) {
      if (module.empty()) continue;
      // torch.nn.MultiheadAttention's query, key and value are no module of their own.
      const bool multihead = weights_.contains(module + ".out_proj.weight");
      const std::string stem = module + (multihead ? ".in_proj_" : ".");
      if (claim(stem + "weight", stem + "bias")) return;
    }
    Fail(file_, ": ", Describe(node), " has a weight without a name, ", std::string(node.input(1)), " ",
         ShapeText(weight.shape), ", and neither a named bias nor a norm beside it");
  }

  /// The vector that is added to what a linear layer gives.
  std::optional<OnnxConstant> Bias(const OnnxNode& node, int64_t outputs) const {
    const auto fits = [&](const std::optional<OnnxConstant>& constant) {
      return constant && constant->tensor->shape == std::vector<int64_t>{outputs};
    };
    if (node.op == "Gemm") {
      const std::optional<OnnxConstant> bias = Read(node.input(2));
      return fits(bias) ? bias : std::nullopt;
    }
    for (const OnnxGraph::Use& use : graph_.Uses(node.outputs[0])) {
      if (use.node->op != "Add") continue;
      const std::optional<OnnxConstant> bias = Read(use.node->input(1 - use.operand));
      if (fits(bias)) return bias;
    }
    return std::nullopt;
  }

  /// "blocks.0.attn.qkv" for a layer that reads the norm "blocks.0.norm1"; empty when it reads none.
  std::string QueryKeyOrValue(const OnnxNode& node, const Tensor& weight) const {
    const std::string block = BlockOfNorm(node.input(0));
    if (block.empty()) return "";
    for (const AttentionNames& names : kAttentions) {
      const std::string projection = block + std::string(names.projection);
      const auto beside = weights_.lower_bound(projection);
      if (beside == weights_.end() || !beside->first.starts_with(projection)) continue;
      const bool together = names.parts[1].empty();
      const int part = together ? 0 : AttentionOperand(node.outputs[0], 0);
      if (part < 0 || (together && weight.shape[0] % 3 != 0)) return "";
      return block + std::string(names.parts[static_cast<size_t>(part)]);
    }
    return "";
  }

  /// "blocks.0" where `value` is what the norm "blocks.0.norm1" gives, in one operator or in many.
  std::string BlockOfNorm(std::string_view value) const {
    const OnnxNode* node = graph_.Producer(value);
    while (node && OnlyMoves(node->op)) node = graph_.Producer(node->input(0));
    if (!node || (node->op != "LayerNormalization" && node->op != "Add")) return "";
    for (const std::string_view input : node->inputs) {
      if (!graph_.Constant(input) || !IsParameter(input)) continue;
      const std::string_view norm = input.substr(0, input.rfind('.'));
      const size_t dot = norm.rfind('.');
      if (dot != std::string_view::npos) return std::string(norm.substr(0, dot));
    }
    return "";
  }

  /// 0, 1 or 2 where `value` becomes attention's query, key or value; -1 where it becomes none.
  int AttentionOperand(std::string_view value, int depth) const {
    constexpr int kLongestWay = 12;  // from a layer to the product: reshapes, transposes, scaling
    for (const OnnxGraph::Use& use : graph_.Uses(value)) {
      if (use.node->op == "Attention" && use.operand < 3) return static_cast<int>(use.operand);
      if (use.node->op == "MatMul") {
        if (use.operand == 0) return 0;
        return ComesFromSoftmax(use.node->input(0)) ? 2 : 1;
      }
      const bool scaled = use.node->op == "Mul" || use.node->op == "Div" || use.node->op == "Add";
      if (depth == kLongestWay || use.node->outputs.empty() || !(scaled || OnlyMoves(use.node->op))) continue;
      const int operand = AttentionOperand(use.node->outputs[0], depth + 1);
      if (operand >= 0) return operand;
    }
    return -1;
  }

  bool ComesFromSoftmax(std::string_view value) const {
    const OnnxNode* node = graph_.Producer(value);
    for (int depth = 0; node && depth < 8; ++depth) {
      if (node->op == "Softmax") return true;
      // PyTorch guards a softmax over nothing: Where(IsNaN(p), 0, p).
      node = graph_.Producer(node->input(node->op == "Where" ? 2 : 0));
    }
    return false;
  }

  /// The names of what stands before the blocks, from the patch embedding's; nullptr when they are not known.
  const EmbeddingNames* Embedding(std::string* prefix) const {
    if (!patch_) return nullptr;
    const std::string_view stem = WithoutEnd(patch_->input(1), ".weight");
    for (const EmbeddingNames& names : kEmbeddings) {
      if (!stem.ends_with(names.patch)) continue;
      *prefix = stem.substr(0, stem.size() - names.patch.size());
      return &names;
    }
    return nullptr;
  }

  /// Tokens that stand before the patches in the sequence, as constants without a name.
  void NameTokens(const OnnxNode& node) {
    std::string prefix;
    const EmbeddingNames* names = Embedding(&prefix);
    if (!names || !ComesFromPatches(node)) return;
    bool first = true;
    for (const std::string_view input : node.inputs) {
      const std::vector<OnnxConstant> roots = graph_.Roots(input);
      if (roots.size() != 1) continue;
      const Tensor& tensor = *roots[0].tensor;
      const bool is_class = first;
      first = false;
      if (IsParameter(roots[0].name) || !IsFloat(tensor) || tensor.shape.empty()) continue;
      const bool single = tensor.elements() == tensor.shape.back();
      const std::string_view name = is_class && single ? names->class_token
                                    : single           ? names->distillation
                                                       : names->registers;
      if (!name.empty()) Claim(prefix + std::string(name), OfRank(tensor, names->token_rank));
    }
  }

  /// Whether a concatenation holds what the patch embedding gives.
  bool ComesFromPatches(const OnnxNode& node) const {
    return std::any_of(node.inputs.begin(), node.inputs.end(), [&](std::string_view input) {
      const OnnxNode* from = graph_.Producer(input);
      for (int depth = 0; from && depth < 12; ++depth) {
        if (from == patch_) return true;
        const bool passes = OnlyMoves(from->op) || from->op == "Add" || from->op == "Concat";
        if (!passes) return false;
        const bool second = graph_.Producer(from->input(0)) == nullptr || from->op == "Concat";
        from = graph_.Producer(second ? from->inputs.back() : from->input(0));
      }
      return false;
    });
  }

  /// A table that is added to the tokens: one constant, or a class token's row and the patches' rows.
  void NamePositions(const OnnxNode& node) {
    std::string prefix;
    const EmbeddingNames* names = Embedding(&prefix);
    if (!names) return;
    for (const std::string_view input : node.inputs) {
      const std::vector<OnnxConstant> roots = graph_.Roots(input);
      const bool tables =
          !roots.empty() && std::all_of(roots.begin(), roots.end(), [](const OnnxConstant& root) {
            return !IsParameter(root.name) && IsFloat(*root.tensor) && root.tensor->shape.size() == 3;
          });
      if (!tables ||
          !Claim(prefix + std::string(names->positions), OfRank(Rows(roots), names->positions_rank)))
        continue;
    }
  }

  static Tensor Transposed(Tensor tensor) {
    std::swap(tensor.shape[0], tensor.shape[1]);
    std::swap(tensor.strides[0], tensor.strides[1]);
    return tensor;
  }

  /// The same rows with dimensions of 1 before them taken away.
  static Tensor OfRank(Tensor tensor, size_t rank) {
    while (tensor.shape.size() > rank && tensor.shape.front() == 1) {
      tensor.shape.erase(tensor.shape.begin());
      tensor.strides.erase(tensor.strides.begin());
    }
    return tensor;
  }

  /// [1, a, D], [1, b, D], ... as [1, a + b + ..., D].
  Tensor Rows(const std::vector<OnnxConstant>& parts) {
    Tensor all = *parts[0].tensor;
    if (parts.size() == 1) return all;
    size_t bytes = 0;
    all.shape[1] = 0;
    for (const OnnxConstant& part : parts) {
      if (part.tensor->dtype != all.dtype || part.tensor->shape[0] != 1 ||
          part.tensor->shape[2] != all.shape[2]) {
        Fail(file_, ": ", std::string(part.name), " is ", ShapeText(part.tensor->shape),
             ", which does not fit the positions beside it");
      }
      all.shape[1] += part.tensor->shape[1];
      bytes += part.tensor->bytes.size();
    }
    auto copy = std::make_unique<std::byte[]>(bytes);
    all.bytes = {copy.get(), bytes};
    all.strides = RowMajorStrides(all.shape);
    for (size_t at = 0; const OnnxConstant& part : parts) {
      if (!part.tensor->bytes.empty())
        std::memcpy(&copy[at], part.tensor->bytes.data(), part.tensor->bytes.size());
      at += part.tensor->bytes.size();
    }
    copies_.push_back(std::move(copy));
    return all;
  }

  const OnnxGraph& graph_;
  const std::string& file_;
  std::vector<std::unique_ptr<std::byte[]>>& copies_;
  std::map<std::string, Tensor> weights_;
  std::set<std::string> claimed_;  ///< names that were given here, or that a layer was seen to use
  const OnnxNode* patch_ = nullptr;
};

}  // namespace

std::map<std::string, Tensor> NameOnnxWeights(const OnnxGraph& graph,
                                              std::vector<std::unique_ptr<std::byte[]>>* copies) {
  RefuseForeignGraph(graph);
  return Namer(graph, copies).Run();
}

}  // namespace vitrine::checkpoint
