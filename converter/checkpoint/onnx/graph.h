// SPDX-License-Identifier: Apache-2.0
// OnnxGraph: which node computes a value, which nodes read it, and which constants it is made of. Two functions use it
// to check the graph and to read the configuration from it.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "converter/checkpoint/onnx/model.h"

namespace vitrine::checkpoint {

/// A constant and the name under which the file has it.
struct OnnxConstant {
  std::string_view name;
  const Tensor* tensor;
};

/// `model` must outlive the graph.
class OnnxGraph {
 public:
  struct Use {
    const OnnxNode* node;
    size_t operand;
  };

  explicit OnnxGraph(const OnnxModel& model);

  const OnnxModel& model() const { return model_; }
  const OnnxNode* Producer(std::string_view value) const;  ///< nullptr for an input or a constant
  const std::vector<Use>& Uses(std::string_view value) const;

  /// The constant itself, or the one that an Identity hands on.
  std::optional<OnnxConstant> Constant(std::string_view value) const;

  /// What a constant expression is made of, in the order of its concatenations: the roots behind reshapes,
  /// transposes, slices, resizes and the like. Empty when anything in it is no constant.
  std::vector<OnnxConstant> Roots(std::string_view value) const;

  /// The one value of a constant of one float element, behind casts too.
  std::optional<double> Scalar(std::string_view value) const;

  /// The elements of a constant of integers; empty for any other.
  std::vector<int64_t> Integers(std::string_view value) const;

 private:
  bool AddRoots(std::string_view value, int depth, std::vector<OnnxConstant>* roots) const;

  const OnnxModel& model_;
  std::map<std::string_view, const OnnxNode*> producers_;
  std::map<std::string_view, std::vector<Use>> uses_;
};

/// Whether an operator hands its first input's numbers on, perhaps fewer, rearranged or resampled.
bool OnlyMoves(std::string_view op);

/// Throws an Error that names the first node that no plain ViT has: a convolution that is no patch embedding,
/// pooling, batch normalization, recurrence, a quantized operator, a graph optimizer's operator. Also throws when
/// there is no patch embedding or no attention.
void RefuseOtherGraphs(const OnnxGraph& graph);

/// Returns what the graph computes, under the keys of configuration files; only what is certain:
///
///   num_heads       from the shape that queries are reshaped to
///   layer_norm_eps  from the first norm
///   act_layer       "gelu", "gelu_tanh", "quick_gelu" or "silu"
///   qk_scale        from the factors between queries, keys and softmax, where it is not head_size^-0.5
///   global_pool     "avg" where the graph takes the tokens' mean
///   img_size        [height, width] of the input
nlohmann::json OnnxConfiguration(const OnnxGraph& graph);

}  // namespace vitrine::checkpoint
