// SPDX-License-Identifier: Apache-2.0
// Lowering, continued: adds one operator each, with its constants and its output tensor.
#include <utility>

#include "converter/lower/lower.h"
#include "converter/quantize/quantize.h"
#include "converter/vit/positions.h"

namespace vitrine {
namespace {

using schema::Type;

constexpr TensorPlan kF32 = {};

size_t Size(int value) { return static_cast<size_t>(value); }

}  // namespace

int Lowering::AddTensor(const Layer& layer, const TensorPlan& plan, size_t rows, size_t columns) {
  const int tensor = builder_.AddTensor(NameOf(layer), plan.type, rows, columns);
  tensors_.push_back(layer);
  if (plan.type == Type::QS8) builder_.SetStatic(tensor, plan.scale, plan.zero_point);
  return tensor;
}

int Lowering::AddPatchPixels(size_t columns, int zero_point) {
  const size_t height = Size(config_.image_height), width = Size(config_.image_width);
  const size_t patches = (height / Size(config_.patch_height)) * (width / Size(config_.patch_width));
  const Layer layer = {0, Kind::kPatchPixels};
  schema::PixelsToRowsT op;
  op.image = builder_.model.input =
      AddTensor({0, Kind::kImage}, {Type::U8}, height * width, Size(config_.channels));
  op.output = AddTensor(layer, {plan_.rows.type}, patches, columns);
  op.image_height = static_cast<uint32_t>(height);
  op.image_width = static_cast<uint32_t>(width);
  op.patch_height = static_cast<uint32_t>(config_.patch_height);
  op.patch_width = static_cast<uint32_t>(config_.patch_width);
  op.zero_point = static_cast<int8_t>(zero_point);
  const int output = op.output;
  AddOperator(layer, std::move(op));
  return output;
}

int Lowering::AddPositions(const Embedding& embedding, int patches) {
  const size_t columns = Size(config_.width);
  schema::AddPositionsT op;
  op.patches = patches;
  op.positions = builder_.AddF32("position embedding", embedding.positions,
                                 embedding.positions.size() / columns, columns);
  op.tokens = AddTensor({0, Kind::kTokens}, kF32, Size(config_.tokens()), columns);
  op.first_patch = static_cast<uint32_t>(config_.prefix_tokens);
  const int tokens = op.tokens;
  AddOperator({0, Kind::kPositions}, std::move(op));
  return tokens;
}

int Lowering::AddNormalize(const Layer& layer, const Norm& norm, size_t rows, const TensorPlan& plan) {
  const std::string name = NameOf(layer);
  const size_t columns = builder_.columns(residual_);
  schema::NormalizeT op;
  op.residual = residual_;
  op.delta = std::exchange(delta_, -1);
  op.epsilon = norm.epsilon;
  if (!norm.gamma.empty()) op.gamma = builder_.AddF32(name + " gamma", norm.gamma, 1, columns);
  if (!norm.beta.empty()) op.beta = builder_.AddF32(name + " beta", norm.beta, 1, columns);
  op.output = AddTensor(layer, plan, rows, columns);
  const int output = op.output;
  AddOperator(layer, std::move(op));
  return output;
}

int Lowering::AddInnerNorm(const Layer& layer, const Norm& norm, int tensor, const TensorPlan& plan) {
  const int residual = std::exchange(residual_, tensor);
  const int output = AddNormalize(layer, norm, builder_.rows(tensor), plan);
  residual_ = residual;
  return output;
}

int Lowering::AddLinear(const Layer& layer, const LinearWeights& linear, int input, size_t rows) {
  return AddLinearRows(layer, linear, 0, linear.outputs, input, rows);
}

int Lowering::AddLinearRows(const Layer& layer, const LinearWeights& linear, int first_row, int outputs,
                            int input, size_t rows) {
  schema::LinearT op;
  op.input = input;
  op.weight = AddWeight(layer, linear, first_row, outputs, input);
  if (!linear.bias.empty()) {
    op.bias =
        builder_.AddF32(NameOf(layer) + " bias",
                        std::span(linear.bias).subspan(Size(first_row), Size(outputs)), 1, Size(outputs));
  }
  op.output = AddTensor(layer, plan_.Output(layer), rows, Size(outputs));
  const int output = op.output;
  AddOperator(layer, std::move(op));
  return output;
}

int Lowering::AddWeight(const Layer& layer, const LinearWeights& linear, int first_row, int outputs,
                        int input) {
  const size_t n = Size(outputs), k = Size(linear.inputs);
  const std::string name = NameOf(layer) + " weight";
  const std::span<const float> values = std::span(linear.weight).subspan(Size(first_row) * k, n * k);
  const Type rows = builder_.model.tensors[Size(input)]->type;
  if (rows == Type::F32 && StaysF32(layer, linear)) return builder_.AddF32(name, values, n, k);
  const auto gram = plan_.grams.find(tensors_[Size(input)]);
  const bool int4 = plan_.int4_weights && k % kInt4Block == 0 && rows == Type::QD8;
  if (gram == plan_.grams.end()) {
    return int4 ? builder_.AddInt4(QuantizeBlocks(name, values, n, k))
                : builder_.AddInt8(QuantizeRowsSymmetric(name, values, n, k));
  }
  return int4 ? builder_.AddInt4(QuantizeBlocksFor(gram->second, name, values, n, k))
              : builder_.AddInt8(QuantizeRowsFor(gram->second, name, values, n, k));
}

bool Lowering::StaysF32(const Layer& layer, const LinearWeights& linear) const {
  if (plan_.recipe == Recipe::kF32 || FactsOf(layer.kind).weights != LayerFacts::Weights::kLast) return true;
  // No later layer averages the error of what is read last: on DINOv2-S with 6 classes an int8 head costs 5 dB of
  // the logits and saves 14 kB. Weights that are a large part of the file (22,000 classes) are int8 all the same.
  constexpr size_t kLargestShare = 8;
  const size_t d = Size(config_.width), m = Size(config_.mlp_width);
  const size_t trunk = Size(config_.depth) * d * (4 * d + (config_.gated_mlp ? 3 : 2) * m);
  return linear.weight.size() * kLargestShare <= trunk;
}

int Lowering::AddActivate(const Layer& layer, int input, schema::Function function, bool gated,
                          const TensorPlan& plan) {
  schema::ActivateT op;
  op.input = input;
  op.function = function;
  op.gated = gated;
  op.output = AddTensor(layer, plan, builder_.rows(input), builder_.columns(input) / (gated ? 2 : 1));
  const int output = op.output;
  AddOperator(layer, std::move(op));
  return output;
}

int Lowering::AddPositionBias(const std::vector<float>& values) {
  if (values != position_bias_values_) {
    position_bias_ = builder_.AddF32("relative position bias", values, Size(config_.heads),
                                     values.size() / Size(config_.heads));
    position_bias_values_ = values;
  }
  return position_bias_;
}

int Lowering::AddAttention(const Layer& layer, int query, int key_value, size_t key_column, size_t rows,
                           const TensorPlan& plan, const std::vector<float>& position_bias) {
  const size_t width = Size(config_.heads) * Size(config_.head_size);
  schema::AttentionT op;
  op.query = query;
  op.key = op.value = key_value;
  op.key_column = static_cast<uint32_t>(key_column);
  op.value_column = static_cast<uint32_t>(key_column + width);
  op.heads = static_cast<uint32_t>(config_.heads);
  op.head_size = static_cast<uint32_t>(config_.head_size);
  // For fewer queries, quantizing the keys and values costs more than int8 saves.
  constexpr size_t kFewestInt8Queries = 8;
  if (rows >= kFewestInt8Queries && position_bias.empty()) op.compute = plan_.attention;
  if (!position_bias.empty()) {
    op.bias = AddPositionBias(position_bias);
    op.grid_height = static_cast<uint32_t>(config_.image_height / config_.patch_height);
    op.grid_width = static_cast<uint32_t>(config_.image_width / config_.patch_width);
  }
  op.output = AddTensor(layer, plan, rows, width);
  const int output = op.output;
  AddOperator(layer, std::move(op));
  return output;
}

void Lowering::AddNormalizeHeads(const Layer& layer, const Norm& norm, int tensor, size_t column) {
  if (!norm.present()) return;
  const std::string name = NameOf(layer);
  const size_t k = Size(config_.head_size);
  schema::NormalizeHeadsT op;
  op.tensor = tensor;
  op.column = static_cast<uint32_t>(column);
  op.heads = static_cast<uint32_t>(config_.heads);
  op.head_size = static_cast<uint32_t>(k);
  if (!norm.gamma.empty()) op.gamma = builder_.AddF32(name + " gamma", norm.gamma, 1, k);
  if (!norm.beta.empty()) op.beta = builder_.AddF32(name + " beta", norm.beta, 1, k);
  op.epsilon = norm.epsilon;
  AddOperator(layer, std::move(op));
}

void Lowering::AddRotateHeads(const Layer& layer, int tensor, int heads) {
  if (!config_.rotary.present()) return;
  const size_t patches = Size(config_.tokens() - config_.prefix_tokens), k = Size(config_.head_size);
  if (rotation_ < 0) rotation_ = builder_.AddF32("rotary positions", RotationTable(config_), patches, k);
  schema::RotateHeadsT op;
  op.tensor = tensor;
  op.heads = static_cast<uint32_t>(heads);
  op.head_size = static_cast<uint32_t>(k);
  op.first_row = static_cast<uint32_t>(config_.prefix_tokens);
  op.table = rotation_;
  AddOperator(layer, std::move(op));
}

void Lowering::AddDelta(const Layer& layer) {
  if (delta_ < 0) return;
  schema::AddT op;
  op.residual = residual_;
  op.delta = std::exchange(delta_, -1);
  AddOperator(layer, std::move(op));
}

std::vector<schema::RowRange> Lowering::PooledRows() const {
  const uint32_t first_patch = static_cast<uint32_t>(config_.prefix_tokens);
  const schema::RowRange patches(first_patch, static_cast<uint32_t>(config_.tokens()) - first_patch);
  switch (config_.pooling) {
    case Pooling::kClassToken:
      return {{0, 1}};
    case Pooling::kClassAndDistillation:
      return {{0, 1}, {1, 1}};
    case Pooling::kClassAndPatchMean:
      return {{0, 1}, patches};
    case Pooling::kPatchMean:
    case Pooling::kAttention:
      break;
  }
  return {patches};
}

int Lowering::AddPool(const Layer& layer, int input) {
  schema::PoolT op;
  op.input = input;
  op.ranges = PooledRows();
  op.output = AddTensor(layer, kF32, 1, op.ranges.size() * builder_.columns(input));
  const int output = op.output;
  AddOperator(layer, std::move(op));
  return output;
}

int Lowering::AddPoolQuery(const std::vector<float>& query) {
  const Layer layer = {0, Kind::kPoolQuery};
  schema::FillT op;
  op.constant = builder_.AddF32(NameOf(layer), query, 1, query.size());
  op.output = AddTensor(layer, kF32, 1, query.size());
  const int output = op.output;
  AddOperator(layer, std::move(op));
  return output;
}

}  // namespace vitrine
