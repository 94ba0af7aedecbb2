// SPDX-License-Identifier: Apache-2.0
// Lowering: from folded layers to operators on static shapes, in the types that the plan says.
#pragma once

#include <string>
#include <vector>

#include "converter/vit/vit.h"
#include "converter/lower/model_builder.h"
#include "converter/quantize/plan.h"

namespace vitrine {

/// Appends a model's layers to a builder, in order. The residual stream is one f32 tensor [T, D]; what a
/// block adds to it last is held back (`delta`) and added by the normalization that comes next, which saves a
/// pass over memory:
///
///   normalize(x)            -> rows    [T, D]      int8
///   linear qkv              -> qkv     [T, 3 D]    f32
///   rotate                  -> qkv     in place, where positions are rotary
///   attention               -> heads   [T, D]      int8
///   linear projection       -> delta   [T, D]      f32
///   x += delta, normalize   -> rows    [T, D]      int8
///   linear fc1              -> hidden  [T, M]      f32
///   activate                -> hidden  [T, M]      int8
///   linear fc2              -> delta   [T, D]      f32, added by the next block's normalization
class Lowering {
 public:
  /// The plan must outlive this object. It may change between layers.
  Lowering(ModelBuilder* builder, const VitConfig& config, const Plan& plan)
      : builder_(*builder), config_(config), plan_(plan) {}

  /// From the image to the tokens. `patch` is FoldPixels' result and `zero_point` what it chose.
  void AddEmbedding(const Embedding& embedding, const LinearWeights& patch, int zero_point);
  /// Instead of AddEmbedding: the tokens are the model's input, so that a part of a model can be run alone.
  void AddTokensInput();
  /// A block after FoldBlock. The last block computes only the rows that the head reads.
  void AddBlock(int index, const Block& block);
  /// A head after FoldHead; sets the model's outputs.
  void AddHead(const Head& head);
  /// Instead of AddHead: the tokens are the output.
  void AddTokensOutput();

 private:
  /// Rows of the tokens that are needed after the last block's attention.
  size_t RowsForHead() const;

  /// Whether the weights of a layer that reads f32 are f32.
  bool StaysF32(const std::string& name, const LinearWeights& linear) const;

  /// Adds an activation as `plan` has it.
  int AddTensor(const std::string& name, const TensorPlan& plan, size_t rows, size_t columns);

  /// Each adds an operator and returns its output tensor.
  int AddNormalize(const std::string& name, const Norm& norm, size_t rows, const TensorPlan& output);
  int AddLinear(const std::string& name, const LinearWeights& linear, int input, size_t rows);
  /// The same with the rows [first_row, first_row + outputs) of the weights.
  int AddLinearRows(const std::string& name, const LinearWeights& linear, int first_row, int outputs,
                    int input, size_t rows);
  int AddActivate(const std::string& name, int input, schema::Function function, bool gated,
                  const TensorPlan& plan);
  /// Normalizes a tensor that is not the residual stream.
  int AddInnerNorm(const std::string& name, const Norm& norm, int tensor);
  int AddAttention(const std::string& name, int query, int key_value, size_t key_column, size_t rows,
                   const TensorPlan& plan, const std::vector<float>& position_bias);
  /// The constant with these values, which blocks that share them share.
  int AddPositionBias(const std::vector<float>& values);
  int AddPool(const std::string& name, int input);
  int AddWeight(const std::string& name, const LinearWeights& linear, int first_row, int outputs, int input);
  void AddMlp(const std::string& prefix, const Norm& norm, const LinearWeights& fc1, const Norm& inner_norm,
              const LinearWeights& fc2, size_t rows);
  std::vector<schema::RowRange> PooledRows() const;
  int PoolTokens(const Head& head);
  int PoolByAttention(const Head& head);
  /// Nothing where the norm is absent.
  void AddNormalizeHeads(const std::string& name, const Norm& norm, int tensor, size_t column);
  /// The first `heads` heads of the tensor; nothing where the model has no rotary positions.
  void AddRotateHeads(const std::string& name, int tensor, int heads);
  /// Adds what was held back to the residual stream, where no normalization does.
  void AddDelta(const std::string& name);

  ModelBuilder& builder_;
  const VitConfig config_;
  const Plan& plan_;
  int residual_ = -1;       ///< x
  int position_bias_ = -1;  ///< the last block's constant
  std::vector<float> position_bias_values_;
  int rotation_ = -1;  ///< the constant of the rotary positions, which all blocks share
  int delta_ = -1;     ///< not yet added to x; -1: nothing
};

}  // namespace vitrine
