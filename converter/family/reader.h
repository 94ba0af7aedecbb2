// SPDX-License-Identifier: Apache-2.0
// Reader: tensors by slot in the canonical layout. Errors name what is missing or has another shape.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "converter/checkpoint/checkpoint.h"
#include "converter/family/names.h"
#include "converter/vit/vit.h"

namespace vitrine {

/// With `check_only` it checks presence and shapes, reads no values and returns empty vectors. An Error reads
/// like `blocks.3.mlp.fc1.weight: expected [256, 64], found [256, 32]`.
class Reader {
 public:
  enum class Bias { kAlways, kWherePresent };

  Reader(const checkpoint::Checkpoint& checkpoint, const Names& names, Order order, int head_size,
         bool check_only)
      : checkpoint_(checkpoint),
        names_(names),
        order_(order),
        head_size_(head_size),
        check_only_(check_only) {}

  bool check_only() const { return check_only_; }
  const Names& names() const { return names_; }

  /// Returns a norm over `width` values; absent when the checkpoint has none.
  Norm ReadNorm(Slot slot, int width, float epsilon, int block = 0);
  /// As ReadNorm; Error when the checkpoint has none.
  Norm RequireNorm(Slot slot, int width, float epsilon, int block = 0);

  LinearWeights ReadLinear(Slot slot, int outputs, int inputs, Bias bias, int block = 0);
  /// Returns several layers of `outputs` each, which read the same input, as one.
  LinearWeights ReadLinears(std::initializer_list<Slot> slots, int outputs, int inputs, Bias bias,
                            int block = 0);

  /// Returns the patch embedding, a convolution or a linear layer, as [width, channels * height * width].
  LinearWeights ReadPatch(int width, int channels, int patch_height, int patch_width, Bias bias);

  /// Returns [rows, width], without leading dimensions of 1; empty when the checkpoint has none.
  std::vector<float> ReadRows(Slot slot, int rows, int width, int block = 0);
  /// As ReadRows; Error when the checkpoint has none.
  std::vector<float> RequireRows(Slot slot, int rows, int width, int block = 0);

 private:
  const checkpoint::Tensor& Require(Slot slot, Part part, int block);
  void CheckShape(const checkpoint::Tensor& tensor, std::vector<int64_t> expected, Slot slot, Part part,
                  int block);
  /// Error with the tensor's name when a value is not finite.
  void ReadInto(const checkpoint::Tensor& tensor, const std::string& name, std::span<float> out);
  void ReadWeight(Slot slot, int outputs, int inputs, int block, std::span<float> out);
  void ReadBias(Slot slot, int outputs, int block, std::span<float> out);

  const checkpoint::Checkpoint& checkpoint_;
  const Names& names_;
  const Order order_;
  const int head_size_;
  const bool check_only_;
};

// The parts of a Vit in the canonical layout; empty values from a reader that only checks.

Embedding LoadEmbedding(Reader reader, const Layout& layout);
Block LoadBlock(Reader reader, const Layout& layout, int block);
Head LoadHead(Reader reader, const Layout& layout);

/// Returns the layout's rotary positions, with the checkpoint's own periods if it has them.
Rotary LoadRotary(Reader reader, const Layout& layout);

}  // namespace vitrine
