// SPDX-License-Identifier: Apache-2.0
#include "converter/lower/lower.h"

#include <utility>

#include "converter/quantize/round.h"
#include "converter/error.h"
#include "converter/vit/rotary.h"

namespace vitrine {
namespace {

using schema::Type;

constexpr TensorPlan kF32 = {};

schema::Function FunctionOf(Activation activation) {
  switch (activation) {
    case Activation::kGeluErf:
      return schema::Function::GeluErf;
    case Activation::kGeluTanh:
      return schema::Function::GeluTanh;
    case Activation::kQuickGelu:
      return schema::Function::QuickGelu;
    case Activation::kSilu:
      return schema::Function::Silu;
    case Activation::kRelu:
      return schema::Function::Relu;
    case Activation::kTanh:
      return schema::Function::Tanh;
  }
  return schema::Function::Identity;
}

size_t Size(int value) { return static_cast<size_t>(value); }

}  // namespace

size_t Lowering::RowsForHead() const {
  if (config_.keeps_patches) return Size(config_.tokens());
  switch (config_.pooling) {
    case Pooling::kClassToken:
      return 1;
    case Pooling::kClassAndDistillation:
      return 2;
    default:
      return Size(config_.tokens());
  }
}

bool Lowering::StaysF32(const std::string& name, const LinearWeights& linear) const {
  if (plan_.recipe == Recipe::kF32 || (name != "head" && name != "pooler")) return true;
  // What is read last is not averaged by anything behind it: on DINOv2-S with 6 classes an int8 head takes 5
  // dB from the logits and saves 14 kB. Only where its weights would be a large part of the file (22,000
  // classes) are they int8.
  constexpr size_t kLargestShare = 8;
  const size_t d = Size(config_.width), m = Size(config_.mlp_width);
  const size_t trunk = Size(config_.depth) * d * (4 * d + (config_.gated_mlp ? 3 : 2) * m);
  return linear.weight.size() * kLargestShare <= trunk;
}

int Lowering::AddWeight(const std::string& name, const LinearWeights& linear, int first_row, int outputs,
                        int input) {
  const size_t n = Size(outputs), k = Size(linear.inputs);
  const std::string weight_name = name + " weight";
  const std::span<const float> values = std::span(linear.weight).subspan(Size(first_row) * k, n * k);
  const schema::TensorT& rows = *builder_.model.tensors[Size(input)];
  if (rows.type == Type::F32 && StaysF32(name, linear)) return builder_.AddF32(weight_name, values, n, k);
  const auto gram = plan_.grams.find(rows.name);
  const bool int4 = plan_.int4_weights && k % kInt4Block == 0 && rows.type == Type::QD8;
  if (gram == plan_.grams.end()) {
    return int4 ? builder_.AddInt4(QuantizeBlocks(weight_name, values, n, k))
                : builder_.AddInt8(QuantizeRowsSymmetric(weight_name, values, n, k));
  }
  return int4 ? builder_.AddInt4(QuantizeBlocksFor(gram->second, weight_name, values, n, k))
              : builder_.AddInt8(QuantizeRowsFor(gram->second, weight_name, values, n, k));
}

int Lowering::AddLinear(const std::string& name, const LinearWeights& linear, int input, size_t rows) {
  return AddLinearRows(name, linear, 0, linear.outputs, input, rows);
}

int Lowering::AddLinearRows(const std::string& name, const LinearWeights& linear, int first_row, int outputs,
                            int input, size_t rows) {
  schema::LinearT op;
  op.input = input;
  op.weight = AddWeight(name, linear, first_row, outputs, input);
  if (!linear.bias.empty()) {
    op.bias = builder_.AddF32(name + " bias", std::span(linear.bias).subspan(Size(first_row), Size(outputs)),
                              1, Size(outputs));
  }
  op.output = AddTensor(name, plan_.Output(name), rows, Size(outputs));
  const int output = op.output;
  builder_.AddOperator(name, std::move(op));
  return output;
}

int Lowering::AddTensor(const std::string& name, const TensorPlan& plan, size_t rows, size_t columns) {
  const int tensor = builder_.AddTensor(name, plan.type, rows, columns);
  if (plan.type == Type::QS8) builder_.SetStatic(tensor, plan.scale, plan.zero_point);
  return tensor;
}

int Lowering::AddNormalize(const std::string& name, const Norm& norm, size_t rows, const TensorPlan& plan) {
  schema::NormalizeT op;
  const size_t columns = builder_.columns(residual_);
  op.residual = residual_;
  op.delta = delta_;
  op.epsilon = norm.epsilon;
  if (!norm.gamma.empty()) op.gamma = builder_.AddF32(name + " gamma", norm.gamma, 1, columns);
  if (!norm.beta.empty()) op.beta = builder_.AddF32(name + " beta", norm.beta, 1, columns);
  op.output = AddTensor(name, plan, rows, columns);
  const int output = op.output;
  builder_.AddOperator(name, std::move(op));
  delta_ = -1;
  return output;
}

int Lowering::AddActivate(const std::string& name, int input, schema::Function function, bool gated,
                          const TensorPlan& plan) {
  schema::ActivateT op;
  op.input = input;
  op.function = function;
  op.gated = gated;
  op.output = AddTensor(name, plan, builder_.rows(input), builder_.columns(input) / (gated ? 2 : 1));
  const int output = op.output;
  builder_.AddOperator(name, std::move(op));
  return output;
}

int Lowering::AddInnerNorm(const std::string& name, const Norm& norm, int tensor) {
  const int residual = std::exchange(residual_, tensor);
  const int output = AddNormalize(name, norm, builder_.rows(tensor), plan_.Rows(name));
  residual_ = residual;
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

int Lowering::AddAttention(const std::string& name, int query, int key_value, size_t key_column, size_t rows,
                           const TensorPlan& plan, const std::vector<float>& position_bias) {
  const size_t width = Size(config_.heads) * Size(config_.head_size);
  schema::AttentionT op;
  op.query = query;
  op.key = op.value = key_value;
  op.key_column = static_cast<uint32_t>(key_column);
  op.value_column = static_cast<uint32_t>(key_column + width);
  op.heads = static_cast<uint32_t>(config_.heads);
  op.head_size = static_cast<uint32_t>(config_.head_size);
  // For few queries it costs more to quantize the keys and values than it saves.
  constexpr size_t kFewestInt8Queries = 8;
  if (rows >= kFewestInt8Queries && position_bias.empty()) op.compute = plan_.attention;
  if (!position_bias.empty()) {
    op.bias = AddPositionBias(position_bias);
    op.grid_height = static_cast<uint32_t>(config_.image_height / config_.patch_height);
    op.grid_width = static_cast<uint32_t>(config_.image_width / config_.patch_width);
  }
  op.output = AddTensor(name, plan, rows, width);
  const int output = op.output;
  builder_.AddOperator(name, std::move(op));
  return output;
}

void Lowering::AddEmbedding(const Embedding& embedding, const LinearWeights& patch, int zero_point) {
  const size_t height = Size(config_.image_height), width = Size(config_.image_width),
               channels = Size(config_.channels);
  const size_t patches = (height / Size(config_.patch_height)) * (width / Size(config_.patch_width));
  schema::PixelsToRowsT rows;
  rows.image = builder_.model.input = builder_.AddTensor("image", Type::U8, height * width, channels);
  rows.output = builder_.AddTensor("patch pixels", plan_.rows.type, patches, Size(patch.inputs));
  rows.image_height = static_cast<uint32_t>(height);
  rows.image_width = static_cast<uint32_t>(width);
  rows.patch_height = static_cast<uint32_t>(config_.patch_height);
  rows.patch_width = static_cast<uint32_t>(config_.patch_width);
  rows.zero_point = static_cast<int8_t>(zero_point);
  const int pixels = rows.output;
  builder_.AddOperator("patch pixels", std::move(rows));

  int patch_rows = AddLinear("patch embedding", patch, pixels, patches);
  if (embedding.patch_norm.present()) {
    residual_ = patch_rows;
    patch_rows = AddNormalize("patch norm", embedding.patch_norm, patches, kF32);
  }
  schema::AddPositionsT add;
  const size_t tokens = Size(config_.tokens()), columns = Size(config_.width);
  add.patches = patch_rows;
  add.positions = builder_.AddF32("position embedding", embedding.positions,
                                  embedding.positions.size() / columns, columns);
  add.tokens = residual_ = builder_.AddTensor("tokens", Type::F32, tokens, columns);
  add.first_patch = static_cast<uint32_t>(config_.prefix_tokens);
  builder_.AddOperator("positions", std::move(add));
  if (embedding.pre_norm.present()) residual_ = AddNormalize("pre norm", embedding.pre_norm, tokens, kF32);
}

void Lowering::AddTokensInput() {
  residual_ = builder_.model.input =
      builder_.AddTensor("tokens", Type::F32, Size(config_.tokens()), Size(config_.width));
}

void Lowering::AddBlock(int index, const Block& block) {
  const std::string prefix = "block " + std::to_string(index + 1) + " ";
  const size_t tokens = Size(config_.tokens());
  const size_t rows = index + 1 == config_.depth ? RowsForHead() : tokens;
  const int width = config_.heads * config_.head_size;
  const int normalized = AddNormalize(prefix + "norm1", block.norm1, tokens, plan_.Rows(prefix + "norm1"));
  const TensorPlan& heads_plan = block.attention_norm.present() ? kF32 : plan_.Rows(prefix + "attention");
  int heads;
  if (rows == tokens) {
    const int qkv = AddLinear(prefix + "qkv", block.qkv, normalized, tokens);
    AddNormalizeHeads(prefix + "query norm", block.query_norm, qkv, 0);
    AddNormalizeHeads(prefix + "key norm", block.key_norm, qkv, Size(width));
    AddRotateHeads(prefix + "rotate", qkv, 2 * config_.heads);
    heads =
        AddAttention(prefix + "attention", qkv, qkv, Size(width), tokens, heads_plan, block.position_bias);
  } else {
    const int query = AddLinearRows(prefix + "query", block.qkv, 0, width, normalized, rows);
    const int key_value =
        AddLinearRows(prefix + "key and value", block.qkv, width, 2 * width, normalized, tokens);
    AddNormalizeHeads(prefix + "query norm", block.query_norm, query, 0);
    AddNormalizeHeads(prefix + "key norm", block.key_norm, key_value, 0);
    AddRotateHeads(prefix + "rotate", key_value, config_.heads);  // the queries are no patches
    heads = AddAttention(prefix + "attention", query, key_value, 0, rows, heads_plan, block.position_bias);
  }
  if (block.attention_norm.present())
    heads = AddInnerNorm(prefix + "attention norm", block.attention_norm, heads);
  delta_ = AddLinear(prefix + "projection", block.projection, heads, rows);
  AddMlp(prefix, block.norm2, block.fc1, block.mlp_norm, block.fc2, rows);
}

void Lowering::AddMlp(const std::string& prefix, const Norm& norm, const LinearWeights& fc1,
                      const Norm& inner_norm, const LinearWeights& fc2, size_t rows) {
  const int normalized = AddNormalize(prefix + "norm2", norm, rows, plan_.Rows(prefix + "norm2"));
  const int hidden = AddLinear(prefix + "fc1", fc1, normalized, rows);
  int activated =
      AddActivate(prefix + "activation", hidden, FunctionOf(config_.activation), config_.gated_mlp,
                  inner_norm.present() ? kF32 : plan_.Rows(prefix + "activation"));
  if (inner_norm.present()) activated = AddInnerNorm(prefix + "mlp norm", inner_norm, activated);
  delta_ = AddLinear(prefix + "fc2", fc2, activated, rows);
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

int Lowering::AddPool(const std::string& name, int input) {
  schema::PoolT op;
  op.input = input;
  op.ranges = PooledRows();
  op.output = builder_.AddTensor(name, Type::F32, 1, op.ranges.size() * builder_.columns(input));
  const int output = op.output;
  builder_.AddOperator(name, std::move(op));
  return output;
}

void Lowering::AddNormalizeHeads(const std::string& name, const Norm& norm, int tensor, size_t column) {
  if (!norm.present()) return;
  const size_t k = Size(config_.head_size);
  schema::NormalizeHeadsT op;
  op.tensor = tensor;
  op.column = static_cast<uint32_t>(column);
  op.heads = static_cast<uint32_t>(config_.heads);
  op.head_size = static_cast<uint32_t>(k);
  if (!norm.gamma.empty()) op.gamma = builder_.AddF32(name + " gamma", norm.gamma, 1, k);
  if (!norm.beta.empty()) op.beta = builder_.AddF32(name + " beta", norm.beta, 1, k);
  op.epsilon = norm.epsilon;
  builder_.AddOperator(name, std::move(op));
}

void Lowering::AddRotateHeads(const std::string& name, int tensor, int heads) {
  if (!config_.rotary.present()) return;
  const size_t patches = Size(config_.tokens() - config_.prefix_tokens), k = Size(config_.head_size);
  if (rotation_ < 0) rotation_ = builder_.AddF32("rotary positions", RotationTable(config_), patches, k);
  schema::RotateHeadsT op;
  op.tensor = tensor;
  op.heads = static_cast<uint32_t>(heads);
  op.head_size = static_cast<uint32_t>(k);
  op.first_row = static_cast<uint32_t>(config_.prefix_tokens);
  op.table = rotation_;
  builder_.AddOperator(name, std::move(op));
}

void Lowering::AddDelta(const std::string& name) {
  if (delta_ < 0) return;
  schema::AddT op;
  op.residual = residual_;
  op.delta = delta_;
  builder_.AddOperator(name, std::move(op));
  delta_ = -1;
}

/// The learnt query asks all tokens once; its answer goes through an MLP of its own.
int Lowering::PoolByAttention(const Head& head) {
  if (config_.prefix_tokens > 0)
    Fail("attention pooling beside ", config_.prefix_tokens, " class or register tokens is not supported");
  const size_t width = Size(config_.heads) * Size(config_.head_size);
  const int normalized = AddNormalize("norm", head.norm, Size(config_.tokens()),
                                      config_.keeps_patches ? kF32 : plan_.Rows("norm"));
  if (config_.keeps_patches) builder_.model.patch_features = normalized;
  schema::FillT fill;
  fill.constant = builder_.AddF32("pool query", head.query, 1, width);
  fill.output = builder_.AddTensor("pool query", Type::F32, 1, width);
  const int query = fill.output;
  builder_.AddOperator("pool query", std::move(fill));
  const int key_value = AddLinear("pool key and value", head.key_value, normalized, Size(config_.tokens()));
  const int answer = AddAttention("pool attention", query, key_value, 0, 1, plan_.Rows("pool attention"), {});
  residual_ = AddLinear("pool projection", head.projection, answer, 1);
  AddMlp("pool ", head.mlp_norm, head.fc1, {}, head.fc2, 1);
  AddDelta("pool output");
  return residual_;
}

int Lowering::PoolTokens(const Head& head) {
  if (config_.pooling == Pooling::kAttention) return PoolByAttention(head);
  const size_t rows = RowsForHead();
  if (!head.norm.present()) AddDelta("tokens");
  const int tokens = head.norm.present() ? AddNormalize("norm", head.norm, rows, kF32) : residual_;
  if (config_.keeps_patches) builder_.model.patch_features = tokens;
  if (rows > 2) return AddPool("pool", tokens);
  if (head.norm.present()) return tokens;
  return AddPool("class token", tokens);
}

void Lowering::AddHead(const Head& head) {
  int embedding = PoolTokens(head);
  if (head.pool_norm.present()) {
    residual_ = embedding;
    embedding = AddNormalize("pool norm", head.pool_norm, 1, kF32);
  }
  if (head.pooler.present()) embedding = AddLinear("pooler", head.pooler, embedding, 1);
  if (head.pooler.present() && head.pooler_tanh)
    embedding = AddActivate("pooler tanh", embedding, schema::Function::Tanh, false, kF32);
  builder_.model.embedding = embedding;
  if (head.classifier.present()) builder_.model.logits = AddLinear("head", head.classifier, embedding, 1);
}

void Lowering::AddTokensOutput() {
  AddDelta("tokens");
  builder_.model.embedding = residual_;
}

}  // namespace vitrine
