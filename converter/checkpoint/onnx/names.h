// SPDX-License-Identifier: Apache-2.0
// OnnxNames: the parameters that have a name so far. The rules that give names are in linear.cc (linear
// layers), embedding.cc (tokens and positions) and onnx.cc (norms and layer scale).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "converter/checkpoint/readers.h"
#include "converter/checkpoint/onnx/graph.h"

namespace vitrine::checkpoint {

bool IsFloat(const Tensor& tensor);

/// Returns `name` without `end`; empty when it does not end with it.
std::string_view WithoutEnd(std::string_view name, std::string_view end);

class OnnxNames {
 public:
  /// Starts with the parameters that kept their names. Memory that it needs is added to `copies`.
  OnnxNames(const OnnxGraph& graph, const NamePatterns& patterns,
            std::vector<std::unique_ptr<std::byte[]>>* copies);

  const OnnxGraph& graph() const { return graph_; }
  const NamePatterns& patterns() const { return patterns_; }
  const std::map<std::string, Tensor>& tensors() const { return tensors_; }

  /// Returns whether the model gave this name, and not an exporter: identifiers between dots, or one of the
  /// few parameters without a dot.
  bool IsParameter(std::string_view name) const;

  /// Gives a tensor its name. Returns false when another tensor has it.
  bool Claim(const std::string& name, const Tensor& tensor);
  /// Returns whether Claim gave this name.
  bool IsClaimed(std::string_view name) const { return claimed_.contains(std::string(name)); }
  /// Replaces the tensor of a claimed name.
  void Replace(const std::string& name, const Tensor& tensor) { tensors_.insert_or_assign(name, tensor); }
  /// Returns the tensors concatenated along `dimension`, in f32. All dimensions before it must be 1. Error
  /// when the dimensions after it differ.
  Tensor Stack(const std::vector<Tensor>& parts, size_t dimension);
  /// Returns the constant that an operator reads, with the name of the operator's input.
  std::optional<OnnxConstant> Read(std::string_view input) const;

 private:
  const OnnxGraph& graph_;
  const NamePatterns& patterns_;
  std::map<std::string, Tensor> tensors_;
  std::set<std::string> claimed_;
  std::vector<std::unique_ptr<std::byte[]>>& copies_;
};

/// Names the weight and bias of a MatMul or Gemm with a constant weight. Error with the node when no
/// neighbour has a name to derive them from.
void NameLinear(const OnnxNode& node, OnnxNames* names);

/// Names attention pooling's learnt query if the product `node` reads it as a constant without a name. Error
/// when the exporter has already multiplied it by its projection.
void NameProbe(const OnnxNode& node, OnnxNames* names);

/// Names the tokens (at a Concat) and positions (at an Add) between the patch embedding `patch` and the
/// blocks.
void NameEmbedding(const OnnxNode& node, const OnnxNode& patch, OnnxNames* names);

}  // namespace vitrine::checkpoint
