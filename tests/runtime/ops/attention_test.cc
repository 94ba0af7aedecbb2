// SPDX-License-Identifier: Apache-2.0
// Attention and MergeTokens: small examples that can be checked by hand, and refusals.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>

#include "tests/runtime/ops/rows_draft.h"

namespace vitrine {
namespace {

using Catch::Matchers::ContainsSubstring;
using schema::Type;
using testing::CheckValues;
using testing::Draft;
using testing::RowsDraft;

TEST_CASE("AttentionWithOneKeyReturnsItsValue") {
  RowsDraft d(1, 6);
  schema::AttentionT op;
  op.query = op.key = op.value = d.input;
  op.key_column = 2;
  op.value_column = 4;
  op.heads = 1;
  op.head_size = 2;
  op.output = d.Output(Type::F32, 1, 2);
  d.builder.AddOperator("attention", op);
  CheckValues(testing::RunModel(d.Bytes(), std::vector<float>{9, 9, 1, 1, 7, -8}).last(), {7, -8});
}

TEST_CASE("AttentionWeighsValuesByTheSoftmaxOfTheScores") {
  RowsDraft d(2, 3);  // one head of size 1: query, key, value
  schema::AttentionT op;
  op.query = op.key = op.value = d.input;
  op.key_column = 1;
  op.value_column = 2;
  op.heads = op.head_size = 1;
  op.output = d.Output(Type::F32, 1, 1);  // the first query only
  d.builder.AddOperator("attention", op);
  const double a = std::exp(2.0 * 1), b = std::exp(2.0 * 0.5);
  CheckValues(testing::RunModel(d.Bytes(), std::vector<float>{2, 1, 10, 0, 0.5f, 20}).last(),
              {(a * 10 + b * 20) / (a + b)}, 1e-4);
}

TEST_CASE("AttentionInInt8StaysCloseToF32") {
  constexpr size_t kRows = 20, kWidth = 32;
  std::vector<float> qkv(kRows * 3 * kWidth);
  for (size_t i = 0; i < qkv.size(); ++i)
    qkv[i] = static_cast<float>(std::sin(1.7 * static_cast<double>(i * i)));
  const auto attend = [&](Type compute) {
    RowsDraft d(kRows, 3 * kWidth);
    schema::AttentionT op;
    op.query = op.key = op.value = d.input;
    op.key_column = kWidth;
    op.value_column = 2 * kWidth;
    op.heads = 2;
    op.head_size = kWidth / 2;
    op.compute = compute;
    op.output = d.Output(Type::F32, kRows, kWidth);
    d.builder.AddOperator("attention", op);
    return testing::RunModel(d.Bytes(), qkv).last();
  };
  CHECK(testing::Sqnr(attend(Type::F32), attend(Type::QD8)) > 28);
}

TEST_CASE("AttentionAddsTheRelativePositionBiasToTheScores") {
  const auto draft = [](auto change) {
    RowsDraft d(3, 3);  // a class token and a row of two patches; one head of size 1: query, key, value
    schema::AttentionT op;
    op.query = op.key = op.value = d.input;
    op.key_column = 1;
    op.value_column = 2;
    op.heads = op.head_size = op.grid_height = 1;
    op.grid_width = 2;
    const float left_same_right_class[6] = {0.5f, 0, -0.5f, 1, 2, 3};
    op.bias = d.builder.AddF32("bias", left_same_right_class, 1, 6);
    op.output = d.Output(Type::F32, 3, 1);
    change(op);
    d.builder.AddOperator("attention", op);
    return d.Bytes();
  };
  const auto mean = [](double class_token, double first, double second) {
    const double a = std::exp(class_token), b = std::exp(first), c = std::exp(second);
    return (10 * a + 20 * b + 30 * c) / (a + b + c);
  };
  const std::vector<float> rows = {0, 0, 10, 0, 0, 20, 0, 0, 30};  // scores of zero
  CheckValues(testing::RunModel(draft([](auto&) {}), rows).last(),
              {mean(3, 1, 1), mean(2, 0, 0.5), mean(2, -0.5, 0)}, 1e-4);
  const auto refusal = [&](auto change) { return testing::WhyRefused(draft(change)); };
  CHECK_THAT(
      refusal([](auto& op) { op.grid_width = 3; }),
      ContainsSubstring("attention: bias for a grid of 1x3 patches, but there are 3 queries and 3 keys"));
  CHECK_THAT(refusal([](auto& op) { op.grid_height = 0; }), ContainsSubstring("grid of 0x2"));
  CHECK_THAT(refusal([](auto& op) { std::swap(op.grid_height, op.grid_width), op.heads = 0; }),
             ContainsSubstring("0 heads"));
  CHECK_THAT(refusal([](auto& op) { op.bias = 4; }), ContainsSubstring("bias: constant 4 does not exist"));
}

/// A class token and two pairs of patches. The patches of the first pair are the most similar ones. The keys
/// equal the tokens.
struct MergeDraft : RowsDraft {
  MergeDraft() : RowsDraft(5, 2) {
    op.tokens = op.key = input;
    op.heads = 1;
    op.head_size = 2;
    op.protected_rows = 1;
    op.output_sizes = builder.AddTensor("sizes", Type::F32, 2, 4);
    op.output = Output(Type::F32, 4, 2);
  }
  schema::MergeTokensT op;
};

TEST_CASE("MergeTokensAveragesTheMostSimilarTokens") {
  const std::vector<float> tokens = {9, 9, 1, 0, 1, 0.1f, 0, 1, 5, -5};
  MergeDraft d;
  d.builder.AddOperator("merge", d.op);
  CheckValues(testing::RunModel(d.Bytes(), tokens).last(), {9, 9, 5, -5, 1, 0.05f, 0, 1});

  MergeDraft weighted;
  weighted.builder.AddOperator("merge", weighted.op);
  schema::PoolT pool;
  pool.input = weighted.op.output;
  pool.sizes = weighted.op.output_sizes;
  pool.ranges = {{1, 3}};
  pool.output = weighted.Output(Type::F32, 1, 2);
  weighted.builder.AddOperator("pool", pool);
  // The mean of the patches, both with and without merging.
  CheckValues(testing::RunModel(weighted.Bytes(), tokens).last(), {7.0f / 4, -3.9f / 4});
}

TEST_CASE("AttentionCountsAMergedKeyByItsNumberOfTokens") {
  // The keys are zero, so each token has the same weight and attention returns their mean.
  const std::vector<float> tokens = {9, 9, 1, 0, 1, 0.1f, 0, 1, 5, -5};
  for (const Type compute : {Type::F32, Type::QD8}) {
    MergeDraft d;
    d.builder.AddOperator("merge", d.op);
    schema::FillT zeros;
    const std::vector<float> values(8);
    zeros.constant = d.builder.AddF32("zeros", values, 4, 2);
    zeros.output = d.builder.AddTensor("zeros", Type::F32, 4, 2);
    d.builder.AddOperator("zeros", zeros);
    schema::AttentionT op;
    op.query = op.key = zeros.output;
    op.value = d.op.output;
    op.heads = 1;
    op.head_size = 2;
    op.compute = compute;
    op.sizes = d.op.output_sizes;
    op.output = d.Output(Type::F32, 4, 2);
    d.builder.AddOperator("attention", op);
    const testing::Outputs outputs = testing::RunModel(d.Bytes(), tokens);
    for (size_t i = 0; i < 8; ++i)
      CHECK(std::abs(outputs.last()[i] - (i % 2 == 0 ? 16.0f : 5.1f) / 5) < 0.05f);
  }
}

TEST_CASE("RefusesToMergeMoreTokensThanThereAre") {
  const auto refusal = [](auto change) {
    MergeDraft d;
    change(d);
    d.builder.AddOperator("merge", d.op);
    return testing::WhyRefused(d.Bytes());
  };
  CHECK_THAT(refusal([](MergeDraft& d) { d.op.protected_rows = 4; }),
             ContainsSubstring("cannot merge 5 tokens, 4 of them protected, into 4"));
  CHECK_THAT(refusal([](MergeDraft& d) { d.op.protected_rows = 5; }), ContainsSubstring("into 4"));
  CHECK_THAT(refusal([](MergeDraft& d) { d.op.key_column = 1; }),
             ContainsSubstring("key has 2 columns, expected 2 from column 1 on"));
  CHECK_THAT(refusal([](MergeDraft& d) { d.op.heads = 0; }), ContainsSubstring("0 heads of 2"));
  CHECK_THAT(refusal([](MergeDraft& d) { d.op.output_sizes = d.op.output; }),
             ContainsSubstring("output sizes is 4x2, expected 2x4"));
  CHECK_THAT(refusal([](MergeDraft& d) { d.op.sizes = d.op.output_sizes; }),
             ContainsSubstring("sizes is 2x4, expected 2x5"));
}

TEST_CASE("RefusesAttentionInAnUnknownType") {
  RowsDraft d(1, 6);
  schema::AttentionT op;
  op.query = op.key = op.value = d.input;
  op.heads = 1;
  op.head_size = 2;
  op.compute = Type::U8;
  op.output = d.Output(Type::F32, 1, 2);
  d.builder.AddOperator("attention", op);
  CHECK_THAT(testing::WhyRefused(d.Bytes()), ContainsSubstring("expected F32 or QD8"));
}

}  // namespace
}  // namespace vitrine
