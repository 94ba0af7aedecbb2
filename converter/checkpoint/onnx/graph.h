// SPDX-License-Identifier: Apache-2.0
// OnnxGraph: who makes a value and who reads it, and what stands behind it through operators
// that only move numbers.
#pragma once

#include <map>
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

}  // namespace vitrine::checkpoint
