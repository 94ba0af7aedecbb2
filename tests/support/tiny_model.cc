// SPDX-License-Identifier: Apache-2.0
#include "tests/support/tiny_model.h"

#include <cstdlib>
#include <cstring>
#include <random>

namespace vitrine::testing {

using schema::Type;

void ModelBytes::Free::operator()(uint8_t* data) const { std::free(data); }

ModelBytes::ModelBytes(std::span<const uint8_t> metadata, std::span<const uint8_t> weights)
    : size_(metadata.size() + weights.size()) {
  data_.reset(static_cast<uint8_t*>(std::aligned_alloc(kAlignment, RoundUp(size_))));
  std::memcpy(data_.get(), metadata.data(), metadata.size());
  if (!weights.empty()) std::memcpy(data_.get() + metadata.size(), weights.data(), weights.size());
}

std::vector<float> RandomValues(size_t count, float deviation, uint32_t seed) {
  // Sums of uniform values instead of std::normal_distribution, whose results differ between libraries.
  std::mt19937 random(seed);
  std::vector<float> values(count);
  for (float& v : values) {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(random()) / 4294967296.0;
    v = deviation * static_cast<float>(sum);
  }
  return values;
}

namespace {

constexpr size_t kSide = 8, kPatch = 4, kWidth = 16, kHeads = 2, kHidden = 32, kClasses = 3, kTokens = 5;

/// Adds layers in the order in which they run; each function returns its output tensor.
class TinyVitMaker {
 public:
  TinyVitMaker(ModelBuilder* builder, bool int8) : builder_(*builder), int8_(int8) {}

  void Make() {
    const int tokens = AddEmbedding();
    const int rows = AddNormalize("norm1", tokens, -1, kTokens, RowType());
    const int qkv = AddLinear("qkv", rows, kTokens, kWidth, 3 * kWidth);
    const int projection = AddLinear("projection", AddAttention(qkv), kTokens, kWidth, kWidth);
    const int rows2 = AddNormalize("norm2", tokens, projection, kTokens, RowType());
    const int hidden = AddActivate(AddLinear("fc1", rows2, kTokens, kWidth, kHidden));
    const int fc2 = AddLinear("fc2", hidden, kTokens, kHidden, kWidth);
    builder_.model.embedding = AddNormalize("norm", tokens, fc2, 1, Type::F32);
    builder_.model.logits = AddLinear("head", builder_.model.embedding, 1, kWidth, kClasses);
    builder_.model.labels = {"cat", "dog", "fish"};
  }

 private:
  Type RowType() const { return int8_ ? Type::QD8 : Type::F32; }
  std::vector<float> Values(size_t count, float deviation) { return RandomValues(count, deviation, seed_++); }

  int AddLinear(const char* name, int input, size_t rows, size_t inputs, size_t outputs) {
    const std::vector<float> weight = Values(outputs * inputs, 0.4f), bias = Values(outputs, 0.1f);
    schema::LinearT op;
    op.input = input;
    op.output = builder_.AddTensor(name, Type::F32, rows, outputs);
    op.weight = int8_ ? builder_.AddInt8(QuantizeRowsSymmetric(name, weight, outputs, inputs))
                      : builder_.AddF32(name, weight, outputs, inputs);
    op.bias = builder_.AddF32(name, bias, 1, outputs);
    builder_.AddOperator(name, op);
    return op.output;
  }

  int AddNormalize(const char* name, int residual, int delta, size_t rows, Type type) {
    schema::NormalizeT op;
    op.residual = residual;
    op.delta = delta;
    op.epsilon = 1e-6f;
    op.output = builder_.AddTensor(name, type, rows, kWidth);
    builder_.AddOperator(name, op);
    return op.output;
  }

  int AddAttention(int qkv) {
    schema::AttentionT op;
    op.query = op.key = op.value = qkv;
    op.key_column = kWidth;
    op.value_column = 2 * kWidth;
    op.heads = kHeads;
    op.head_size = kWidth / kHeads;
    op.compute = RowType();
    op.output = builder_.AddTensor("attention", RowType(), kTokens, kWidth);
    builder_.AddOperator("attention", op);
    return op.output;
  }

  int AddActivate(int input) {
    schema::ActivateT op;
    op.input = input;
    op.function = schema::Function::GeluErf;
    op.output = builder_.AddTensor("activation", RowType(), kTokens, kHidden);
    builder_.AddOperator("activation", op);
    return op.output;
  }

  int AddEmbedding() {
    schema::PixelsToRowsT pixels;
    pixels.image = builder_.model.input = builder_.AddTensor("image", Type::U8, kSide * kSide, 3);
    pixels.output = builder_.AddTensor("patch pixels", RowType(), kTokens - 1, kPatch * kPatch * 3);
    pixels.image_height = pixels.image_width = kSide;
    pixels.patch_height = pixels.patch_width = kPatch;
    pixels.zero_point = -8;
    builder_.AddOperator("patch pixels", pixels);
    builder_.model.image = std::make_unique<schema::ImageInputT>();
    builder_.model.image->height = builder_.model.image->width = kSide;
    builder_.model.image->channels = 3;
    builder_.model.image->resize = schema::ResizeMode::ShortestSide;
    builder_.model.image->resize_height = 10;
    builder_.model.image->interpolation = schema::Interpolation::Bicubic;

    schema::AddPositionsT add;
    add.patches = AddLinear("patch embedding", pixels.output, kTokens - 1, kPatch * kPatch * 3, kWidth);
    add.positions = builder_.AddF32("positions", Values(kTokens * kWidth, 0.5f), kTokens, kWidth);
    add.tokens = builder_.AddTensor("tokens", Type::F32, kTokens, kWidth);
    add.first_patch = 1;
    builder_.AddOperator("positions", add);
    return add.tokens;
  }

  ModelBuilder& builder_;
  const bool int8_;
  uint32_t seed_ = 1;
};

}  // namespace

ModelBytes TinyVit(bool int8) {
  Draft draft;
  TinyVitMaker(&draft.builder, int8).Make();
  return draft.Bytes();
}

}  // namespace vitrine::testing
