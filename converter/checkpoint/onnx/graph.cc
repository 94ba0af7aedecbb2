// SPDX-License-Identifier: Apache-2.0
#include "converter/checkpoint/onnx/graph.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace vitrine::checkpoint {
namespace {

// Constant expressions are a few operators deep. The limit stops at a graph with a circle.
constexpr int kDeepest = 64;

}  // namespace

bool OnlyMoves(std::string_view op) {
  static constexpr std::string_view kOps[] = {"Identity",  "Cast",  "Reshape", "Transpose", "Squeeze",
                                              "Unsqueeze", "Slice", "Expand",  "Resize",    "Flatten",
                                              "Gather",    "Tile",  "Split",   "Dropout"};
  return std::find(std::begin(kOps), std::end(kOps), op) != std::end(kOps);
}

OnnxGraph::OnnxGraph(const OnnxModel& model) : model_(model) {
  for (const OnnxNode& node : model.nodes) {
    for (const std::string_view output : node.outputs) producers_.emplace(output, &node);
    for (size_t i = 0; i < node.inputs.size(); ++i) uses_[node.inputs[i]].push_back({&node, i});
  }
}

const OnnxNode* OnnxGraph::Producer(std::string_view value) const {
  const auto found = producers_.find(value);
  return found == producers_.end() ? nullptr : found->second;
}

const std::vector<OnnxGraph::Use>& OnnxGraph::Uses(std::string_view value) const {
  static const std::vector<Use> kNone;
  const auto found = uses_.find(value);
  return found == uses_.end() ? kNone : found->second;
}

std::optional<OnnxConstant> OnnxGraph::Constant(std::string_view value) const {
  for (int depth = 0; depth < kDeepest; ++depth) {
    const auto found = model_.constants.find(value);
    if (found != model_.constants.end()) return OnnxConstant{found->first, &found->second};
    const OnnxNode* node = Producer(value);
    if (!node || node->op != "Identity") return std::nullopt;
    value = node->input(0);
  }
  return std::nullopt;
}

bool OnnxGraph::AddRoots(std::string_view value, int depth, std::vector<OnnxConstant>* roots) const {
  if (const auto found = model_.constants.find(value); found != model_.constants.end()) {
    roots->push_back({found->first, &found->second});
    return true;
  }
  const OnnxNode* node = Producer(value);
  if (!node || depth == kDeepest || roots->size() > kDeepest) return false;
  if (node->op == "Concat") {
    return std::all_of(node->inputs.begin(), node->inputs.end(),
                       [&](std::string_view input) { return AddRoots(input, depth + 1, roots); });
  }
  return OnlyMoves(node->op) && AddRoots(node->input(0), depth + 1, roots);
}

std::vector<OnnxConstant> OnnxGraph::Roots(std::string_view value) const {
  std::vector<OnnxConstant> roots;
  return AddRoots(value, 0, &roots) ? roots : std::vector<OnnxConstant>();
}

std::optional<double> OnnxGraph::Scalar(std::string_view value) const {
  const std::vector<OnnxConstant> roots = Roots(value);
  if (roots.size() != 1 || roots[0].tensor->elements() != 1) return std::nullopt;
  const DType type = roots[0].tensor->dtype;
  if (type != DType::kF32 && type != DType::kF16 && type != DType::kBF16 && type != DType::kF64) {
    return std::nullopt;
  }
  float number = 0;
  ReadF32(*roots[0].tensor, {&number, 1});
  return number;
}

std::vector<int64_t> OnnxGraph::Integers(std::string_view value) const {
  const std::vector<OnnxConstant> roots = Roots(value);
  constexpr int64_t kMost = 16;  // a shape
  if (roots.size() != 1 || roots[0].tensor->dtype != DType::kI64 || roots[0].tensor->elements() > kMost)
    return {};
  std::vector<int64_t> numbers(static_cast<size_t>(roots[0].tensor->elements()));
  if (!numbers.empty())
    std::memcpy(numbers.data(), roots[0].tensor->bytes.data(), numbers.size() * sizeof(int64_t));
  return numbers;
}

}  // namespace vitrine::checkpoint
