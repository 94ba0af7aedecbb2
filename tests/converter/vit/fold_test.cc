// SPDX-License-Identifier: Apache-2.0
// Where folding moves values. family/golden_test.cc checks on whole models that the function stays the same.
#include "converter/vit/fold.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>

namespace vitrine {
namespace {

using Catch::Matchers::WithinRel;
using Floats = std::vector<float>;

bool IsNear(const Floats& found, const Floats& expected) {
  if (found.size() != expected.size()) return false;
  for (size_t i = 0; i < found.size(); ++i) {
    if (std::abs(found[i] - expected[i]) > 1e-5f * (1 + std::abs(expected[i]))) return false;
  }
  return true;
}

TEST_CASE("Moves a norm's affine into the layer that reads it") {
  Norm norm{{2, -3}, {5, 7}, 1e-6f};
  LinearWeights linear{2, 2, {1, 10, 100, 1000}, {0.5f, 0}};
  FoldNorm(&norm, &linear);
  CHECK(norm.present());
  CHECK(norm.plain);
  CHECK(norm.gamma.empty());
  CHECK(norm.beta.empty());
  CHECK(linear.weight == Floats{2, -30, 200, -3000});
  CHECK(linear.bias == Floats{75.5f, 7500});
}

TEST_CASE("Leaves a share of the affine in the norm") {
  Norm norm{{4, -9, 0}, {1, 1, 1}, 1e-6f};
  LinearWeights linear{1, 3, {1, 1, 1}, {}};
  FoldNorm(&norm, &linear, 0.5f);
  CHECK(IsNear(norm.gamma, {2, 3, 0}));
  CHECK(norm.beta.empty());
  CHECK(IsNear(linear.weight, {2, -3, 0}));
  CHECK(linear.bias == Floats{3});  // beta uses the weights before folding
  CHECK(!norm.plain);
  norm = {{4, -9}, {1, 1}, 1e-6f};
  linear = {1, 2, {1, 1}, {}};
  FoldNorm(&norm, &linear, 0);
  CHECK(norm.gamma == Floats{4, -9});
  CHECK(linear.weight == Floats{1, 1});
}

TEST_CASE("Smoothing divides a norm's output and multiplies the weights that read it") {
  Norm norm{{4, 6}, {2, 3}, 1e-6f}, plain{{}, {}, 1e-6f, true};
  LinearWeights linear{1, 2, {1, 10}, {7}};
  const Floats factors = {2, 3};
  SmoothNorm(&norm, &linear, factors);
  CHECK(norm.gamma == Floats{2, 2});
  CHECK(norm.beta == Floats{1, 1});
  CHECK(linear.weight == Floats{2, 30});
  CHECK(linear.bias == Floats{7});
  SmoothNorm(&plain, &linear, factors);
  CHECK(IsNear(plain.gamma, {0.5f, 1.0f / 3}));
  CHECK(!plain.plain);
  SmoothNorm(&norm, &linear, {});
  CHECK(norm.gamma == Floats{2, 2});
}

TEST_CASE("Smoothing divides rows and multiplies the columns that read them") {
  LinearWeights from{3, 1, {1, 4, 9}, {1, 2, 3}}, to{1, 2, {1, 1}, {}};
  SmoothRows(&from, 1, &to, Floats{2, 3});
  CHECK(from.weight == Floats{1, 2, 3});
  CHECK(from.bias == Floats{1, 1, 1});
  CHECK(to.weight == Floats{2, 3});
}

TEST_CASE("Leaves an absent norm absent") {
  Norm norm;
  LinearWeights linear{1, 1, {1}, {}};
  FoldNorm(&norm, &linear);
  CHECK(!norm.present());
  CHECK(linear.bias.empty());
}

/// Width 2, one head of 2, MLP of 1; every bias 1, 2, 3, ...
Block SmallBlock() {
  const Norm norm{{1, 1}, {0, 0}, 1e-6f};
  Block block;
  block.norm1 = block.norm2 = norm;
  block.qkv = {6, 2, Floats(12, 1), {1, 2, 3, 4, 5, 6}};
  block.projection = {2, 2, {1, 2, 3, 4}, {10, 20}};
  block.scale1 = {2, 3};
  block.fc1 = {1, 2, {1, 1}, {1}};
  block.fc2 = {2, 1, {1, 1}, {1, 1}};
  block.scale2 = {5, 7};
  return block;
}

VitConfig SmallConfig() {
  VitConfig config;
  config.width = config.head_size = 2;
  config.heads = config.mlp_width = 1;
  config.attention_scale = 0.25;
  return config;
}

TEST_CASE("Folds a block's scales and biases") {
  Block block = SmallBlock();
  FoldBlock(&block, SmallConfig());
  CHECK(block.qkv.weight == Floats{0.25f, 0.25f, 0.25f, 0.25f, 1, 1, 1, 1, 1, 1, 1, 1});
  CHECK(block.qkv.bias == Floats{0.25f, 0.5f, 0, 0, 0, 0});
  CHECK(block.projection.weight == Floats{2, 4, 9, 12});
  CHECK(block.projection.bias == Floats{(10 + 5 + 12) * 2, (20 + 15 + 24) * 3});
  CHECK(block.fc2.bias == Floats{5, 7});
  CHECK(block.scale1.empty());
  CHECK(block.scale2.empty());
}

TEST_CASE("Removes a qkv bias of zeros") {
  Block block = SmallBlock();
  block.qkv.bias = {0, 0, 3, 4, 5, 6};
  FoldBlock(&block, SmallConfig());
  CHECK(block.qkv.bias.empty());
}

TEST_CASE("With QK norm the scale goes into the query's norm and the key bias stays") {
  Block block = SmallBlock();
  block.query_norm = block.key_norm = {{1, 2}, {3, 4}, 1e-6f};
  FoldBlock(&block, SmallConfig());
  CHECK(block.qkv.weight == Floats(12, 1));
  CHECK(block.qkv.bias == Floats{1, 2, 3, 4, 0, 0});
  CHECK(block.query_norm.gamma == Floats{0.25f, 0.5f});
  CHECK(block.query_norm.beta == Floats{0.75f, 1});
  CHECK(block.key_norm.gamma == Floats{1, 2});
}

TEST_CASE("With rotary positions the key bias stays") {
  Block block = SmallBlock();
  VitConfig config = SmallConfig();
  config.rotary.frequencies = {1};
  FoldBlock(&block, config);
  CHECK(block.qkv.bias == Floats{0.25f, 0.5f, 3, 4, 0, 0});
}

TEST_CASE("Before an attention norm the value bias stays") {
  Block block = SmallBlock();
  block.attention_norm = {{2, 2}, {1, 1}, 1e-6f};
  FoldBlock(&block, SmallConfig());
  CHECK(block.qkv.bias == Floats{0.25f, 0.5f, 0, 0, 5, 6});
  CHECK(block.projection.weight == Floats{4, 8, 18, 24});
  CHECK(block.projection.bias == Floats{26, 81});
}

TEST_CASE("Folds the last norm into a pooler, but not into a classifier") {
  Head head;
  head.norm = {{2, 2}, {1, 1}, 1e-6f};
  head.classifier = {1, 2, {1, 1}, {0}};
  VitConfig config = SmallConfig();
  FoldHead(&head, config);
  CHECK(head.norm.gamma == Floats{2, 2});  // its output is the embedding
  head.pooler = {1, 2, {1, 1}, {}};
  config.pooling = Pooling::kPatchMean;
  head.pool_norm = head.norm;
  FoldHead(&head, config);
  CHECK(head.norm.gamma == Floats{2, 2});
  config.pooling = Pooling::kClassToken;
  head.pool_norm = {};
  FoldHead(&head, config);
  CHECK(head.norm.plain);
  CHECK(head.pooler.weight == Floats{2, 2});
  CHECK(head.pooler.bias == Floats{2});
}

TEST_CASE("Folds the normalisation of pixels into the patch embedding") {
  // One output, 2 channels, patches of 1 x 2: columns (c, x) become (x, c).
  const LinearWeights patch{1, 4, {1, 2, 3, 4}, {0.5f}};
  ImageConfig image;
  image.mean = {0.25f, 0.75f};
  image.deviation = {0.5f, 2};
  int zero_point = 99;
  const LinearWeights folded = FoldPixels(patch, image, 1, 2, 2, &zero_point);
  CHECK(zero_point == 0);  // 255 * 0.5 rounds to 128
  CHECK(IsNear(folded.weight, {1 / 127.5f, 3 / 510.0f, 2 / 127.5f, 4 / 510.0f}));
  const float pixels[] = {10, 200, 30, 40};  // (x, c)
  double direct = 0.5, found = folded.bias[0];
  for (int i = 0; i < 4; ++i) {
    const int x = i / 2, c = i % 2;
    direct += patch.weight[c * 2 + x] * (pixels[i] / 255 - image.mean[c]) / image.deviation[c];
    found += folded.weight[i] * (pixels[i] - 128 - zero_point);
  }
  CHECK_THAT(found, WithinRel(direct, 1e-5));
}

TEST_CASE("Clamps the zero point of pixels to a byte") {
  const LinearWeights patch{1, 1, {1}, {}};
  ImageConfig image;
  image.deviation = {1};
  int zero_point = 0;
  image.mean = {-3};
  FoldPixels(patch, image, 1, 1, 1, &zero_point);
  CHECK(zero_point == -128);
  image.mean = {3};
  FoldPixels(patch, image, 1, 1, 1, &zero_point);
  CHECK(zero_point == 127);
}

}  // namespace
}  // namespace vitrine
