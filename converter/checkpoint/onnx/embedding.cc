// SPDX-License-Identifier: Apache-2.0
// Tokens and positions: constants that stand before the blocks, named after the patch embedding.
#include <algorithm>

#include "converter/checkpoint/onnx/names.h"
#include "converter/error.h"

namespace vitrine::checkpoint {
namespace {

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

/// The same rows with dimensions of 1 before them taken away.
Tensor OfRank(Tensor tensor, size_t rank) {
  while (tensor.shape.size() > rank && tensor.shape.front() == 1) {
    tensor.shape.erase(tensor.shape.begin());
    tensor.strides.erase(tensor.strides.begin());
  }
  return tensor;
}

class EmbeddingNamer {
 public:
  EmbeddingNamer(const OnnxNode& patch, OnnxNames* names)
      : patch_(patch), names_(*names), graph_(names->graph()) {}

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
      if (!name.empty()) names_.Claim(prefix + std::string(name), OfRank(tensor, names->token_rank));
    }
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
          !names_.Claim(prefix + std::string(names->positions), OfRank(Rows(roots), names->positions_rank)))
        continue;
    }
  }

 private:
  /// The names of what stands before the blocks, from the patch embedding's; nullptr when they are not known.
  const EmbeddingNames* Embedding(std::string* prefix) const {
    const std::string_view stem = WithoutEnd(patch_.input(1), ".weight");
    for (const EmbeddingNames& names : kEmbeddings) {
      if (!stem.ends_with(names.patch)) continue;
      *prefix = stem.substr(0, stem.size() - names.patch.size());
      return &names;
    }
    return nullptr;
  }

  /// Whether a concatenation holds what the patch embedding gives.
  bool ComesFromPatches(const OnnxNode& node) const {
    return std::any_of(node.inputs.begin(), node.inputs.end(), [&](std::string_view input) {
      const OnnxNode* from = graph_.Producer(input);
      for (int depth = 0; from && depth < 12; ++depth) {
        if (from == &patch_) return true;
        const bool passes = OnlyMoves(from->op) || from->op == "Add" || from->op == "Concat";
        if (!passes) return false;
        const bool second = graph_.Producer(from->input(0)) == nullptr || from->op == "Concat";
        from = graph_.Producer(second ? from->inputs.back() : from->input(0));
      }
      return false;
    });
  }

  /// [1, a, D], [1, b, D], ... as [1, a + b + ..., D].
  Tensor Rows(const std::vector<OnnxConstant>& roots) {
    if (roots.size() == 1) return *roots[0].tensor;
    std::vector<Tensor> parts;
    for (const OnnxConstant& root : roots) {
      if (root.tensor->shape[0] != 1)
        Fail(graph_.model().file, ": ", std::string(root.name), " is no table of positions");
      parts.push_back(*root.tensor);
    }
    return names_.Stack(parts, 1);
  }

  const OnnxNode& patch_;
  OnnxNames& names_;
  const OnnxGraph& graph_;
};

}  // namespace

void NameEmbedding(const OnnxNode& node, const OnnxNode& patch, OnnxNames* names) {
  EmbeddingNamer namer(patch, names);
  if (node.op == "Concat") {
    namer.NameTokens(node);
  } else {
    namer.NamePositions(node);
  }
}

}  // namespace vitrine::checkpoint
