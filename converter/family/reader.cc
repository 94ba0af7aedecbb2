// SPDX-License-Identifier: Apache-2.0
#include "converter/family/reader.h"

#include <algorithm>

#include "converter/error.h"

namespace vitrine {
namespace {

using checkpoint::Tensor;
using Shape = std::vector<int64_t>;

/// Returns the shape without leading dimensions of 1: [1, 1, D] and [D] are equal here.
Shape WithoutLeadingOnes(Shape shape) {
  while (shape.size() > 1 && shape.front() == 1) shape.erase(shape.begin());
  return shape;
}

/// Returns the tensor with its dimensions in another order: dimension d is `order[d]` of the file's. Adds
/// leading dimensions of 1 if the file has fewer.
Tensor Permuted(Tensor tensor, std::initializer_list<size_t> order) {
  while (tensor.shape.size() < order.size()) {
    tensor.shape.insert(tensor.shape.begin(), 1);
    tensor.strides.insert(tensor.strides.begin(), 0);
  }
  const size_t more = tensor.shape.size() - order.size();
  Tensor permuted{tensor.dtype, {}, {}, tensor.bytes};
  for (size_t dimension : order) {
    dimension += more;
    permuted.shape.push_back(tensor.shape[dimension]);
    permuted.strides.push_back(tensor.strides[dimension]);
  }
  return permuted;
}

bool HasHeads(Slot slot) { return slot == Slot::kQuery || slot == Slot::kKey || slot == Slot::kValue; }

}  // namespace

const Tensor& Reader::Require(Slot slot, Part part, int block) {
  const Tensor* tensor = names_.Find(slot, part, block);
  if (!tensor) Fail("checkpoint has no ", names_.Name(slot, part, block));
  return *tensor;
}

void Reader::CheckShape(const Tensor& tensor, Shape expected, Slot slot, Part part, int block) {
  if (WithoutLeadingOnes(tensor.shape) == WithoutLeadingOnes(expected)) return;
  // The message has as many dimensions as the file.
  while (expected.size() < tensor.shape.size() &&
         tensor.shape[tensor.shape.size() - expected.size() - 1] == 1) {
    expected.insert(expected.begin(), 1);
  }
  Fail(names_.Name(slot, part, block), ": expected ", checkpoint::ShapeText(expected), ", found ",
       checkpoint::ShapeText(tensor.shape));
}

void Reader::ReadInto(const Tensor& tensor, const std::string& name, std::span<float> out) {
  if (check_only_) return;
  checkpoint::ReadF32(tensor, out);
  CheckFinite(name, out);
  checkpoint_.Release(tensor);
}

void Reader::ReadWeight(Slot slot, int outputs, int inputs, int block, std::span<float> out) {
  const Tensor& tensor = Require(slot, Part::kWeight, block);
  const std::string name = names_.Name(slot, Part::kWeight, block);
  if (order_ == Order::kTorch) {
    CheckShape(tensor, {outputs, inputs}, slot, Part::kWeight, block);
    ReadInto(tensor, name, out);
    return;
  }
  // Flax: [inputs, outputs]; the attention's side is two dimensions, heads and their values.
  if (HasHeads(slot)) {
    CheckShape(tensor, {inputs, outputs / head_size_, head_size_}, slot, Part::kWeight, block);
    ReadInto(Permuted(tensor, {1, 2, 0}), name, out);
  } else if (slot == Slot::kProjection) {
    CheckShape(tensor, {inputs / head_size_, head_size_, outputs}, slot, Part::kWeight, block);
    ReadInto(Permuted(tensor, {2, 0, 1}), name, out);
  } else {
    CheckShape(tensor, {inputs, outputs}, slot, Part::kWeight, block);
    ReadInto(Permuted(tensor, {1, 0}), name, out);
  }
}

void Reader::ReadBias(Slot slot, int outputs, int block, std::span<float> out) {
  if (checkpoint_.omits_zeros() && !names_.Find(slot, Part::kBias, block)) return;  // `out` is zero already
  const Tensor& tensor = Require(slot, Part::kBias, block);
  Shape expected = {outputs};
  if (order_ == Order::kFlax && HasHeads(slot)) expected = {outputs / head_size_, head_size_};
  CheckShape(tensor, expected, slot, Part::kBias, block);
  ReadInto(tensor, names_.Name(slot, Part::kBias, block), out);
}

Norm Reader::ReadNorm(Slot slot, int width, float epsilon, int block) {
  if (!names_.Has(slot)) return {};
  return RequireNorm(slot, width, epsilon, block);
}

Norm Reader::RequireNorm(Slot slot, int width, float epsilon, int block) {
  Norm norm;
  norm.epsilon = epsilon;
  if (!check_only_) {
    norm.gamma.resize(width);
    norm.beta.resize(width);
  }
  for (const auto& [part, values] :
       {std::pair(Part::kWeight, &norm.gamma), std::pair(Part::kBias, &norm.beta)}) {
    const Tensor& tensor = Require(slot, part, block);
    CheckShape(tensor, {width}, slot, part, block);
    ReadInto(tensor, names_.Name(slot, part, block), *values);
  }
  return norm;
}

LinearWeights Reader::ReadLinear(Slot slot, int outputs, int inputs, Bias bias, int block) {
  return ReadLinears({slot}, outputs, inputs, bias, block);
}

LinearWeights Reader::ReadLinears(std::initializer_list<Slot> slots, int outputs, int inputs, Bias bias,
                                  int block) {
  LinearWeights linear;
  linear.outputs = outputs * static_cast<int>(slots.size());
  linear.inputs = inputs;
  const size_t weights = static_cast<size_t>(outputs) * inputs;
  const auto has_bias = [&](Slot slot) { return names_.Has(slot, Part::kBias); };
  const bool any_bias = bias == Bias::kAlways || std::any_of(slots.begin(), slots.end(), has_bias);
  if (!check_only_) {
    linear.weight.resize(weights * slots.size());
    if (any_bias) linear.bias.resize(linear.outputs);
  }
  const auto part = [&](std::vector<float>& values, size_t at, size_t count) {
    return check_only_ ? std::span<float>() : std::span(values).subspan(at * count, count);
  };
  size_t at = 0;
  for (const Slot slot : slots) {
    ReadWeight(slot, outputs, inputs, block, part(linear.weight, at, weights));
    // One of the three may have no bias although the others have one (BEiT's key): it stays zero.
    if (bias == Bias::kAlways || has_bias(slot)) {
      ReadBias(slot, outputs, block, part(linear.bias, at, outputs));
    }
    ++at;
  }
  return linear;
}

LinearWeights Reader::ReadPatch(int width, int channels, int patch_height, int patch_width, Bias bias) {
  const Tensor& file = Require(Slot::kPatch, Part::kWeight, 0);
  const int64_t inputs = static_cast<int64_t>(channels) * patch_height * patch_width;
  const bool flax = order_ == Order::kFlax;
  Shape expected = {width, channels, patch_height, patch_width};
  if (flax) expected = {patch_height, patch_width, channels, width};
  if (file.shape.size() == 2) expected = {width, inputs};
  if (file.shape != expected) {
    Fail(names_.Name(Slot::kPatch, Part::kWeight), ": expected ", checkpoint::ShapeText(expected), ", found ",
         checkpoint::ShapeText(file.shape));
  }
  LinearWeights patch;
  patch.outputs = width;
  patch.inputs = static_cast<int>(inputs);
  if (!check_only_) patch.weight.resize(static_cast<size_t>(width) * inputs);
  ReadInto(flax && file.shape.size() == 4 ? Permuted(file, {3, 2, 0, 1}) : file,
           names_.Name(Slot::kPatch, Part::kWeight), patch.weight);
  if (bias == Bias::kAlways || names_.Has(Slot::kPatch, Part::kBias)) {
    if (!check_only_) patch.bias.resize(width);
    ReadBias(Slot::kPatch, width, 0, patch.bias);
  }
  return patch;
}

std::vector<float> Reader::ReadRows(Slot slot, int rows, int width, int block) {
  if (!names_.Has(slot)) return {};
  return RequireRows(slot, rows, width, block);
}

std::vector<float> Reader::RequireRows(Slot slot, int rows, int width, int block) {
  std::vector<float> values;
  const Tensor& tensor = Require(slot, Part::kWeight, block);
  CheckShape(tensor, rows == 1 ? Shape{width} : Shape{rows, width}, slot, Part::kWeight, block);
  if (!check_only_) values.resize(static_cast<size_t>(rows) * width);
  ReadInto(tensor, names_.Name(slot, Part::kWeight, block), values);
  return values;
}

}  // namespace vitrine
