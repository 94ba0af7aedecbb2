// SPDX-License-Identifier: Apache-2.0
// Lowering: from a canonical ViT to operators on static shapes, in the types of the plan.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "converter/lower/model_builder.h"
#include "converter/quantize/layer.h"
#include "converter/quantize/plan.h"
#include "converter/vit/vit.h"

namespace vitrine {

/// Appends a model's layers to a builder, in order. lower.cc has the order of the operators, operators.cc adds one
/// operator each. The residual stream x is one f32 tensor [T, D]. What a block adds to it last (`delta`) is added by
/// the next normalization, which saves a pass over memory:
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
  /// `builder` must be empty. `plan` must outlive this object; it may change between layers.
  Lowering(ModelBuilder* builder, const VitConfig& config, const Plan& plan)
      : builder_(*builder), config_(config), plan_(plan) {}

  /// Adds the operators from the image to the tokens. `patch` is FoldPixels' result and `zero_point` its choice.
  void AddEmbedding(const Embedding& embedding, const LinearWeights& patch, int zero_point);
  /// Makes the tokens the model's input, instead of AddEmbedding, so that a part of a model can run alone.
  void AddTokensInput();
  /// Adds a block after FoldBlock. `index` counts from 0. The last block computes only the rows that the head reads.
  void AddBlock(int index, const Block& block);
  /// Adds a head after FoldHead and sets the model's outputs.
  void AddHead(const Head& head);
  /// Makes the tokens the model's output, instead of AddHead.
  void AddTokensOutput();

  /// Returns the layer of each operator and of each tensor of the model, by their indices in the file.
  const std::vector<Layer>& operators() const { return operators_; }
  const std::vector<Layer>& tensors() const { return tensors_; }

 private:
  /// The layers of an MLP, in a block or in attention pooling.
  struct MlpLayers {
    Layer norm, fc1, activation;
    std::optional<Layer> inner_norm;  ///< between activation and fc2; pooling has none
    Layer fc2;
  };

  // The order of operators (lower.cc).

  /// Returns the number of rows of the tokens that are needed after the last block's attention.
  size_t RowsForHead() const;
  /// Returns the output of a block's attention, after the attention norm where there is one.
  int AddHeads(int number, const Block& block, int normalized, size_t rows);
  void AddMlp(const MlpLayers& layers, const Norm& norm, const LinearWeights& fc1, const Norm& inner_norm,
              const LinearWeights& fc2, size_t rows);
  int PoolTokens(const Head& head);
  int PoolByAttention(const Head& head);

  // One operator each; the functions that return int return the output tensor (operators.cc).

  int AddTensor(const Layer& layer, const TensorPlan& plan, size_t rows, size_t columns);
  template <typename Operator>
  void AddOperator(const Layer& layer, Operator op) {
    builder_.AddOperator(NameOf(layer), std::move(op));
    operators_.push_back(layer);
  }
  int AddPatchPixels(size_t columns, int zero_point);
  int AddPositions(const Embedding& embedding, int patches);
  int AddNormalize(const Layer& layer, const Norm& norm, size_t rows, const TensorPlan& plan);
  /// Normalizes a tensor that is not the residual stream.
  int AddInnerNorm(const Layer& layer, const Norm& norm, int tensor, const TensorPlan& plan);
  int AddLinear(const Layer& layer, const LinearWeights& linear, int input, size_t rows);
  /// Adds the rows [first_row, first_row + outputs) of the weights as a linear layer.
  int AddLinearRows(const Layer& layer, const LinearWeights& linear, int first_row, int outputs, int input,
                    size_t rows);
  /// Returns the constant of these rows of the weights, in the type of the plan.
  int AddWeight(const Layer& layer, const LinearWeights& linear, int first_row, int outputs, int input);
  /// Returns whether weights that read f32 are f32.
  bool StaysF32(const Layer& layer, const LinearWeights& linear) const;
  int AddActivate(const Layer& layer, int input, schema::Function function, bool gated,
                  const TensorPlan& plan);
  int AddAttention(const Layer& layer, int query, int key_value, size_t key_column, size_t rows,
                   const TensorPlan& plan, const std::vector<float>& position_bias);
  /// Returns the constant with these values. Blocks with equal values share it.
  int AddPositionBias(const std::vector<float>& values);
  /// Does nothing where the norm is absent.
  void AddNormalizeHeads(const Layer& layer, const Norm& norm, int tensor, size_t column);
  /// Rotates the first `heads` heads of the tensor. Does nothing where the model has no rotary positions.
  void AddRotateHeads(const Layer& layer, int tensor, int heads);
  /// Adds `delta` to the residual stream, where no normalization does.
  void AddDelta(const Layer& layer);
  int AddPool(const Layer& layer, int input);
  std::vector<schema::RowRange> PooledRows() const;
  int AddPoolQuery(const std::vector<float>& query);

  ModelBuilder& builder_;
  const VitConfig config_;
  const Plan& plan_;
  std::vector<Layer> operators_, tensors_;
  int residual_ = -1;       ///< x
  int delta_ = -1;          ///< not yet added to x; -1: none
  int position_bias_ = -1;  ///< the last block's constant
  std::vector<float> position_bias_values_;
  int rotation_ = -1;  ///< the constant of the rotary positions, which all blocks share
};

/// Loads, folds and lowers a segment: the embedding (0), a block (1 to L, smoothed by the plan) or the head (L + 1).
/// One layer's f32 weights are in memory at a time.
void LowerSegment(const Vit& vit, int segment, const Plan& plan, Lowering* lowering);

}  // namespace vitrine
