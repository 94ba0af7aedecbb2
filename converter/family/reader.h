// SPDX-License-Identifier: Apache-2.0
// Reads tensors by slot in the canonical layout, and says by name what is missing or has another shape.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "converter/checkpoint/checkpoint.h"
#include "converter/family/names.h"
#include "converter/vit/vit.h"

namespace vitrine {

/// With `check_only` no value is read: vectors stay empty, and what is there and of the right shape is all
/// that is asked. Error as in `blocks.3.mlp.fc1.weight: expected [256, 64], found [256, 32]`.
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

  /// A norm over `width` values; absent when the checkpoint has none.
  Norm ReadNorm(Slot slot, int width, float epsilon, int block = 0);
  /// As ReadNorm; Error when the checkpoint has none.
  Norm RequireNorm(Slot slot, int width, float epsilon, int block = 0);

  LinearWeights ReadLinear(Slot slot, int outputs, int inputs, Bias bias, int block = 0);
  /// Several layers of `outputs` each that read the same input, as one.
  LinearWeights ReadLinears(std::initializer_list<Slot> slots, int outputs, int inputs, Bias bias,
                            int block = 0);

  /// The patch embedding, from a convolution or a linear layer: [width, channels * height * width].
  LinearWeights ReadPatch(int width, int channels, int patch_height, int patch_width, Bias bias);

  /// [rows, width], whatever dimensions of one come before; empty when the checkpoint has none.
  std::vector<float> ReadRows(Slot slot, int rows, int width, int block = 0);
  /// As ReadRows; Error when the checkpoint has none.
  std::vector<float> RequireRows(Slot slot, int rows, int width, int block = 0);

 private:
  const checkpoint::Tensor& Require(Slot slot, Part part, int block);
  void CheckShape(const checkpoint::Tensor& tensor, std::vector<int64_t> expected, Slot slot, Part part,
                  int block);
  /// Error naming the tensor when a value is not finite.
  void ReadInto(const checkpoint::Tensor& tensor, const std::string& name, std::span<float> out);
  void ReadWeight(Slot slot, int outputs, int inputs, int block, std::span<float> out);
  void ReadBias(Slot slot, int outputs, int block, std::span<float> out);

  const checkpoint::Checkpoint& checkpoint_;
  const Names& names_;
  const Order order_;
  const int head_size_;
  const bool check_only_;
};

// The layers in the canonical layout. A reader that only checks gives empty values.

Embedding LoadEmbedding(Reader reader, const Layout& layout);
Block LoadBlock(Reader reader, const Layout& layout, int block);
Head LoadHead(Reader reader, const Layout& layout);

/// The layout's rotary positions, with the checkpoint's own periods where it has them.
Rotary LoadRotary(Reader reader, const Layout& layout);

}  // namespace vitrine
