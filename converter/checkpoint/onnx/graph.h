// SPDX-License-Identifier: Apache-2.0
// OnnxGraph: which node computes a value, which nodes read it, and which constants it is made of. Two
// functions use it to check the graph and to read the configuration from it.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "converter/checkpoint/onnx/model.h"

namespace vitrine::checkpoint {

/// A constant and its name in the file.
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

  /// Returns the constant `value`, also through Identity nodes.
  std::optional<OnnxConstant> Constant(std::string_view value) const;

  /// Returns the constants of a constant expression, in the order of its concatenations, through reshapes,
  /// transposes, slices, resizes and the like. Empty when any part is not constant.
  std::vector<OnnxConstant> Roots(std::string_view value) const;

  /// Returns the value of a constant with one float element, also through casts.
  std::optional<double> Scalar(std::string_view value) const;

  /// Returns the elements of a constant of integers; empty for any other value.
  std::vector<int64_t> Integers(std::string_view value) const;

 private:
  bool AddRoots(std::string_view value, int depth, std::vector<OnnxConstant>* roots) const;

  const OnnxModel& model_;
  std::map<std::string_view, const OnnxNode*> producers_;
  std::map<std::string_view, std::vector<Use>> uses_;
};

/// Returns whether an operator only selects, rearranges or resamples the numbers of its first input.
bool OnlyMoves(std::string_view op);

/// Throws an Error with the first node that a plain ViT does not have: a convolution that is not a patch
/// embedding, pooling, batch normalization, recurrence, a quantized operator, an operator of a graph optimizer.
/// Also throws when there is no patch embedding or no attention.
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
