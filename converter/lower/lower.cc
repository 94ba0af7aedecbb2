// SPDX-License-Identifier: Apache-2.0
#include "converter/lower/lower.h"

#include <utility>

#include "converter/error.h"
#include "converter/vit/fold.h"

namespace vitrine {
namespace {

// Half of each LayerNorm's gamma goes into the weights after it and half stays: on DINOv2-S that gives 1.7 dB more
// than all of it in the weights, and 0.2 dB more than none.
constexpr float kNormShare = 0.5f;

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

void LowerEmbedding(const Vit& vit, Lowering* lowering) {
  const VitConfig& config = vit.config;
  const Embedding embedding = vit.load_embedding();
  int zero_point = 0;
  const LinearWeights patch = FoldPixels(embedding.patch, vit.image, config.patch_height, config.patch_width,
                                         config.channels, &zero_point);
  lowering->AddEmbedding(embedding, patch, zero_point);
}

void LowerBlock(const Vit& vit, int index, const Plan& plan, Lowering* lowering) {
  Block block = vit.load_block(index);
  FoldBlock(&block, vit.config, kNormShare);
  const auto factors = [&](Kind rows) -> std::span<const float> {
    const auto found = plan.smoothing.find({index + 1, rows});
    return found == plan.smoothing.end() ? std::span<const float>{} : found->second;
  };
  SmoothNorm(&block.norm1, &block.qkv, factors(Kind::kNorm1));
  SmoothNorm(&block.norm2, &block.fc1, factors(Kind::kNorm2));
  SmoothNorm(&block.attention_norm, &block.projection, factors(Kind::kAttentionNorm));
  SmoothNorm(&block.mlp_norm, &block.fc2, factors(Kind::kMlpNorm));
  SmoothRows(&block.qkv, 2 * vit.config.heads * vit.config.head_size, &block.projection,
             factors(Kind::kAttention));
  SmoothRows(&block.fc1, vit.config.mlp_width, &block.fc2, factors(Kind::kActivation));
  lowering->AddBlock(index, block);
}

void LowerHead(const Vit& vit, Lowering* lowering) {
  Head head = vit.load_head();
  FoldHead(&head, vit.config);
  lowering->AddHead(head);
}

}  // namespace

void Lowering::AddEmbedding(const Embedding& embedding, const LinearWeights& patch, int zero_point) {
  const int pixels = AddPatchPixels(Size(patch.inputs), zero_point);
  const size_t patches = builder_.rows(pixels);
  int rows = AddLinear({0, Kind::kPatchEmbedding}, patch, pixels, patches);
  if (embedding.patch_norm.present())
    rows = AddInnerNorm({0, Kind::kPatchNorm}, embedding.patch_norm, rows, kF32);
  residual_ = AddPositions(embedding, rows);
  if (embedding.pre_norm.present())
    residual_ = AddNormalize({0, Kind::kPreNorm}, embedding.pre_norm, Size(config_.tokens()), kF32);
}

void Lowering::AddTokensInput() {
  residual_ = builder_.model.input =
      AddTensor({0, Kind::kTokens}, kF32, Size(config_.tokens()), Size(config_.width));
}

void Lowering::AddTokensOutput() {
  AddDelta({0, Kind::kTokens});
  builder_.model.embedding = residual_;
}

size_t Lowering::RowsForHead() const {
  if (config_.keeps_patches) return Size(config_.tokens());
  switch (config_.pooling) {
    case Pooling::kClassToken:
      return 1;
    case Pooling::kClassAndDistillation:
      return 2;
    case Pooling::kClassAndPatchMean:
    case Pooling::kPatchMean:
    case Pooling::kAttention:
      break;
  }
  return Size(config_.tokens());
}

void Lowering::AddBlock(int index, const Block& block) {
  const int number = index + 1;
  const size_t tokens = Size(config_.tokens());
  const size_t rows = number == config_.depth ? RowsForHead() : tokens;
  const Layer norm1 = {number, Kind::kNorm1};
  const int normalized = AddNormalize(norm1, block.norm1, tokens, plan_.Rows(norm1));
  const int heads = AddHeads(number, block, normalized, rows);
  delta_ = AddLinear({number, Kind::kProjection}, block.projection, heads, rows);
  AddMlp({{number, Kind::kNorm2},
          {number, Kind::kFc1},
          {number, Kind::kActivation},
          Layer{number, Kind::kMlpNorm},
          {number, Kind::kFc2}},
         block.norm2, block.fc1, block.mlp_norm, block.fc2, rows);
}

int Lowering::AddHeads(int number, const Block& block, int normalized, size_t rows) {
  const auto layer = [&](Kind kind) { return Layer{number, kind}; };
  const size_t tokens = Size(config_.tokens());
  const int width = config_.heads * config_.head_size;
  int query, key_value;
  size_t key_column;
  if (rows == tokens) {
    query = key_value = AddLinear(layer(Kind::kQkv), block.qkv, normalized, tokens);
    key_column = Size(width);
  } else {
    query = AddLinearRows(layer(Kind::kQuery), block.qkv, 0, width, normalized, rows);
    key_value = AddLinearRows(layer(Kind::kKeyAndValue), block.qkv, width, 2 * width, normalized, tokens);
    key_column = 0;
  }
  AddNormalizeHeads(layer(Kind::kQueryNorm), block.query_norm, query, 0);
  AddNormalizeHeads(layer(Kind::kKeyNorm), block.key_norm, key_value, key_column);
  // Queries apart are of prefix tokens, which have no rotary position.
  AddRotateHeads(layer(Kind::kRotate), key_value, query == key_value ? 2 * config_.heads : config_.heads);
  const bool has_norm = block.attention_norm.present();
  const int heads = AddAttention(layer(Kind::kAttention), query, key_value, key_column, rows,
                                 has_norm ? kF32 : plan_.Rows(layer(Kind::kAttention)), block.position_bias);
  if (!has_norm) return heads;
  const Layer norm = layer(Kind::kAttentionNorm);
  return AddInnerNorm(norm, block.attention_norm, heads, plan_.Rows(norm));
}

void Lowering::AddMlp(const MlpLayers& layers, const Norm& norm, const LinearWeights& fc1,
                      const Norm& inner_norm, const LinearWeights& fc2, size_t rows) {
  const int normalized = AddNormalize(layers.norm, norm, rows, plan_.Rows(layers.norm));
  const int hidden = AddLinear(layers.fc1, fc1, normalized, rows);
  const bool has_norm = inner_norm.present();
  int activated = AddActivate(layers.activation, hidden, FunctionOf(config_.activation), config_.gated_mlp,
                              has_norm ? kF32 : plan_.Rows(layers.activation));
  if (has_norm)
    activated = AddInnerNorm(*layers.inner_norm, inner_norm, activated, plan_.Rows(*layers.inner_norm));
  delta_ = AddLinear(layers.fc2, fc2, activated, rows);
}

/// The learnt query attends to all tokens once; the result goes through an MLP of its own.
int Lowering::PoolByAttention(const Head& head) {
  if (config_.prefix_tokens > 0)
    Fail("attention pooling is supported only without class or register tokens; this model has ",
         config_.prefix_tokens);
  const size_t tokens = Size(config_.tokens());
  const Layer norm = {0, Kind::kNorm}, attention = {0, Kind::kPoolAttention};
  const int normalized =
      AddNormalize(norm, head.norm, tokens, config_.keeps_patches ? kF32 : plan_.Rows(norm));
  if (config_.keeps_patches) builder_.model.patch_features = normalized;
  const int query = AddPoolQuery(head.query);
  const int key_value = AddLinear({0, Kind::kPoolKeyAndValue}, head.key_value, normalized, tokens);
  const int answer = AddAttention(attention, query, key_value, 0, 1, plan_.Rows(attention), {});
  residual_ = AddLinear({0, Kind::kPoolProjection}, head.projection, answer, 1);
  AddMlp({{0, Kind::kPoolNorm2},
          {0, Kind::kPoolFc1},
          {0, Kind::kPoolActivation},
          std::nullopt,
          {0, Kind::kPoolFc2}},
         head.mlp_norm, head.fc1, {}, head.fc2, 1);
  AddDelta({0, Kind::kPoolOutput});
  return residual_;
}

int Lowering::PoolTokens(const Head& head) {
  if (config_.pooling == Pooling::kAttention) return PoolByAttention(head);
  const size_t rows = RowsForHead();
  if (!head.norm.present()) AddDelta({0, Kind::kTokens});
  const int tokens = head.norm.present() ? AddNormalize({0, Kind::kNorm}, head.norm, rows, kF32) : residual_;
  if (config_.keeps_patches) builder_.model.patch_features = tokens;
  if (rows > 2) return AddPool({0, Kind::kPool}, tokens);
  if (head.norm.present()) return tokens;
  return AddPool({0, Kind::kClassToken}, tokens);
}

void Lowering::AddHead(const Head& head) {
  int embedding = PoolTokens(head);
  if (head.pool_norm.present())
    embedding = AddInnerNorm({0, Kind::kPoolNorm}, head.pool_norm, embedding, kF32);
  if (head.pooler.present()) embedding = AddLinear({0, Kind::kPooler}, head.pooler, embedding, 1);
  if (head.pooler.present() && head.pooler_tanh)
    embedding = AddActivate({0, Kind::kPoolerTanh}, embedding, schema::Function::Tanh, false, kF32);
  builder_.model.embedding = embedding;
  if (head.classifier.present())
    builder_.model.logits = AddLinear({0, Kind::kHead}, head.classifier, embedding, 1);
}

void LowerSegment(const Vit& vit, int segment, const Plan& plan, Lowering* lowering) {
  if (segment == 0) {
    LowerEmbedding(vit, lowering);
  } else if (segment <= vit.config.depth) {
    LowerBlock(vit, segment - 1, plan, lowering);
  } else {
    LowerHead(vit, lowering);
  }
}

}  // namespace vitrine
