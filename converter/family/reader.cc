// SPDX-License-Identifier: Apache-2.0
#include "converter/family/reader.h"

#include <algorithm>

#include "converter/error.h"

namespace vitrine {
namespace {

using checkpoint::Tensor;
using Shape = std::vector<int64_t>;

/// The shape without the dimensions of one that lead it: [1, 1, D] and [D] are the same to us.
Shape WithoutLeadingOnes(Shape shape) {
  while (shape.size() > 1 && shape.front() == 1) shape.erase(shape.begin());
  return shape;
}

/// A matrix that the file holds as its transpose, its dimensions possibly split (Flax: heads are one of their own).
/// Row-major files only: readers make no others with three dimensions.
Tensor Transposed(Tensor tensor, int64_t outputs, int64_t inputs) {
  tensor.shape = {outputs, inputs};
  tensor.strides = {1, outputs};
  return tensor;
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
  // Say it with as many dimensions as the file has.
  while (expected.size() < tensor.shape.size() && tensor.shape[tensor.shape.size() - expected.size() - 1] == 1) {
    expected.insert(expected.begin(), 1);
  }
  Fail(names_.Name(slot, part, block), ": expected ", checkpoint::ShapeText(expected), ", found ",
       checkpoint::ShapeText(tensor.shape));
}

void Reader::ReadInto(const Tensor& tensor, std::span<float> out) {
  if (check_only_) return;
  checkpoint::ReadF32(tensor, out);
  checkpoint_.Release(tensor);
}

void Reader::ReadWeight(Slot slot, int outputs, int inputs, int block, std::span<float> out) {
  const Tensor& tensor = Require(slot, Part::kWeight, block);
  if (order_ == Order::kTorch) {
    CheckShape(tensor, {outputs, inputs}, slot, Part::kWeight, block);
    ReadInto(tensor, out);
    return;
  }
  Shape expected = {inputs, outputs};
  if (HasHeads(slot)) expected = {inputs, outputs / head_size_, head_size_};
  if (slot == Slot::kProjection) expected = {inputs / head_size_, head_size_, outputs};
  CheckShape(tensor, expected, slot, Part::kWeight, block);
  ReadInto(Transposed(tensor, outputs, inputs), out);
}

void Reader::ReadBias(Slot slot, int outputs, int block, std::span<float> out) {
  const Tensor& tensor = Require(slot, Part::kBias, block);
  Shape expected = {outputs};
  if (order_ == Order::kFlax && HasHeads(slot)) expected = {outputs / head_size_, head_size_};
  CheckShape(tensor, expected, slot, Part::kBias, block);
  ReadInto(tensor, out);
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
  for (const auto& [part, values] : {std::pair(Part::kWeight, &norm.gamma), std::pair(Part::kBias, &norm.beta)}) {
    const Tensor& tensor = Require(slot, part, block);
    CheckShape(tensor, {width}, slot, part, block);
    ReadInto(tensor, *values);
  }
  return norm;
}

LinearWeights Reader::ReadLinear(Slot slot, int outputs, int inputs, Bias bias, int block) {
  return ReadLinears({slot}, outputs, inputs, bias, block);
}

LinearWeights Reader::ReadLinears(std::initializer_list<Slot> slots, int outputs, int inputs, Bias bias, int block) {
  LinearWeights linear;
  linear.outputs = outputs * static_cast<int>(slots.size());
  linear.inputs = inputs;
  const size_t weights = static_cast<size_t>(outputs) * inputs;
  const bool any_bias = bias == Bias::kAlways || (bias == Bias::kWherePresent &&
      std::any_of(slots.begin(), slots.end(), [&](Slot slot) { return names_.Has(slot, Part::kBias); }));
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
    // One of three may have none where the others have one (BEiT's key): it stays zero.
    if (bias == Bias::kAlways || (any_bias && names_.Has(slot, Part::kBias))) {
      ReadBias(slot, outputs, block, part(linear.bias, at, outputs));
    }
    ++at;
  }
  return linear;
}

LinearWeights Reader::ReadPatch(int width, int channels, int patch_height, int patch_width) {
  const Tensor& file = Require(Slot::kPatch, Part::kWeight, 0);
  Tensor tensor = file;
  const int64_t inputs = static_cast<int64_t>(channels) * patch_height * patch_width;
  if (order_ == Order::kFlax) {
    CheckShape(file, {patch_height, patch_width, channels, width}, Slot::kPatch, Part::kWeight, 0);
    tensor.shape = {width, channels, patch_height, patch_width};
    tensor.strides = {1, width, static_cast<int64_t>(patch_width) * channels * width,
                      static_cast<int64_t>(channels) * width};
  } else if (file.shape.size() == 2) {
    CheckShape(file, {width, inputs}, Slot::kPatch, Part::kWeight, 0);
  } else if (file.shape != Shape{width, channels, patch_height, patch_width}) {
    Fail(names_.Name(Slot::kPatch, Part::kWeight), ": expected ",
         checkpoint::ShapeText(Shape{width, channels, patch_height, patch_width}), ", found ",
         checkpoint::ShapeText(file.shape));
  }
  LinearWeights patch;
  patch.outputs = width;
  patch.inputs = static_cast<int>(inputs);
  if (!check_only_) patch.weight.resize(static_cast<size_t>(width) * inputs);
  ReadInto(tensor, patch.weight);
  if (names_.Has(Slot::kPatch, Part::kBias)) {
    if (!check_only_) patch.bias.resize(width);
    ReadBias(Slot::kPatch, width, 0, patch.bias);
  }
  return patch;
}

std::vector<float> Reader::ReadRows(Slot slot, int rows, int width, int block) {
  std::vector<float> values;
  if (!names_.Has(slot)) return values;
  const Tensor& tensor = Require(slot, Part::kWeight, block);
  CheckShape(tensor, rows == 1 ? Shape{width} : Shape{rows, width}, slot, Part::kWeight, block);
  if (!check_only_) values.resize(static_cast<size_t>(rows) * width);
  ReadInto(tensor, values);
  return values;
}

}  // namespace vitrine
