// SPDX-License-Identifier: Apache-2.0
// Tokens and positions: constants before the blocks, named after the patch embedding.
#include <algorithm>

#include "converter/checkpoint/onnx/names.h"
#include "converter/error.h"

namespace vitrine::checkpoint {
namespace {

/// Returns the tensor as [1, rows, width], as in a state dict: without further leading dimensions of 1.
Tensor OfThreeDimensions(Tensor tensor) {
  while (tensor.shape.size() > 3 && tensor.shape.front() == 1) {
    tensor.shape.erase(tensor.shape.begin());
    tensor.strides.erase(tensor.strides.begin());
  }
  return tensor;
}

class EmbeddingNamer {
 public:
  EmbeddingNamer(const OnnxNode& patch, OnnxNames* names)
      : patch_(patch), names_(*names), graph_(names->graph()) {}

  /// Names the tokens before the patches in the sequence, if they are constants without a name.
  void NameTokens(const OnnxNode& node) {
    std::string prefix;
    const NamePatterns::Embedding* names = Embedding(&prefix);
    if (!names || !ComesFromPatches(node)) return;
    bool first = true;
    for (const std::string_view input : node.inputs) {
      const std::vector<OnnxConstant> roots = graph_.Roots(input);
      if (roots.size() != 1) continue;
      const Tensor& tensor = *roots[0].tensor;
      const bool is_class = first;
      first = false;
      if (names_.IsParameter(roots[0].name) || !IsFloat(tensor) || tensor.shape.empty()) continue;
      const bool single = tensor.elements() == tensor.shape.back();
      const std::string& name = is_class && single ? names->class_token
                                : single           ? names->distillation_token
                                                   : names->registers;
      if (!name.empty()) names_.Claim(prefix + name, OfThreeDimensions(tensor));
    }
  }

  /// Names the table that is added to the tokens: one constant, or a class token's row and the patches' rows.
  void NamePositions(const OnnxNode& node) {
    std::string prefix;
    const NamePatterns::Embedding* names = Embedding(&prefix);
    if (!names || names->positions.empty()) return;
    for (const std::string_view input : node.inputs) {
      const std::vector<OnnxConstant> roots = graph_.Roots(input);
      const bool tables =
          !roots.empty() && std::all_of(roots.begin(), roots.end(), [&](const OnnxConstant& root) {
            return !names_.IsParameter(root.name) && IsFloat(*root.tensor) && root.tensor->shape.size() == 3;
          });
      if (tables) names_.Claim(prefix + names->positions, OfThreeDimensions(Rows(roots)));
    }
  }

 private:
  /// Returns the names of the parameters before the blocks, by the patch embedding's name; nullptr when
  /// unknown.
  const NamePatterns::Embedding* Embedding(std::string* prefix) const {
    const std::string_view stem = WithoutEnd(patch_.input(1), ".weight");
    for (const NamePatterns::Embedding& names : names_.patterns().embeddings) {
      if (!stem.ends_with(names.patch)) continue;
      *prefix = stem.substr(0, stem.size() - names.patch.size());
      return &names;
    }
    return nullptr;
  }

  /// Returns whether a concatenation contains the patch embedding's output.
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

  /// Returns [1, a, D], [1, b, D], ... as [1, a + b + ..., D].
  Tensor Rows(const std::vector<OnnxConstant>& roots) {
    if (roots.size() == 1) return *roots[0].tensor;
    std::vector<Tensor> parts;
    for (const OnnxConstant& root : roots) {
      if (root.tensor->shape[0] != 1)
        Fail(graph_.model().file, ": ", std::string(root.name), " is not a position table");
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
