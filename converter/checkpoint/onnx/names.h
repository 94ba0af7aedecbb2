// SPDX-License-Identifier: Apache-2.0
// OnnxNames: the parameters that have a name by now, and how they get one. The three rules that give names
// are in linear.cc (linear layers), embedding.cc (tokens and positions) and weights.cc (norms and the rest).
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

/// `name` without `end`; empty where it does not end so.
std::string_view WithoutEnd(std::string_view name, std::string_view end);

class OnnxNames {
 public:
  /// With the parameters that have kept their names. What it has to copy goes to `copies`.
  OnnxNames(const OnnxGraph& graph, const NamePatterns& patterns,
            std::vector<std::unique_ptr<std::byte[]>>* copies);

  const OnnxGraph& graph() const { return graph_; }
  const NamePatterns& patterns() const { return patterns_; }
  const std::map<std::string, Tensor>& tensors() const { return tensors_; }

  /// Whether a name is a parameter's and not one that an exporter made up: identifiers between dots, or one of
  /// the few parameters without a dot.
  bool IsParameter(std::string_view name) const;

  /// Gives a tensor its name; false when another one has it.
  bool Claim(const std::string& name, const Tensor& tensor);
  /// Whether a name was given here, or a layer was seen to use it.
  bool IsClaimed(std::string_view name) const { return claimed_.contains(std::string(name)); }
  /// Replaces the tensor of a name that was claimed.
  void Replace(const std::string& name, const Tensor& tensor) { tensors_.insert_or_assign(name, tensor); }
  /// The tensors one behind the other along `dimension`, before which all dimensions are 1; f32. Error when
  /// the dimensions behind it differ.
  Tensor Stack(const std::vector<Tensor>& parts, size_t dimension);
  /// The constant that an operator reads, by the name under which it reads it.
  std::optional<OnnxConstant> Read(std::string_view input) const;

 private:
  const OnnxGraph& graph_;
  const NamePatterns& patterns_;
  std::map<std::string, Tensor> tensors_;
  std::set<std::string> claimed_;
  std::vector<std::unique_ptr<std::byte[]>>& copies_;
};

/// Names the weight and bias of a MatMul or Gemm, where it has a constant weight. Error, naming the node,
/// when nothing beside it tells how.
void NameLinear(const OnnxNode& node, OnnxNames* names);

/// Names attention pooling's learnt query where the product `node` reads it as a constant without a name.
/// Error when the exporter has computed what its projection makes of it.
void NameProbe(const OnnxNode& node, OnnxNames* names);

/// Names tokens (at a Concat) and positions (at an Add) that stand before the blocks, after the patch
/// embedding `patch`.
void NameEmbedding(const OnnxNode& node, const OnnxNode& patch, OnnxNames* names);

}  // namespace vitrine::checkpoint
