// SPDX-License-Identifier: Apache-2.0
// Linear against a plain sum in f64, in each of its types.
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstring>

#include "tests/support/run.h"
#include "tests/support/tiny_model.h"

namespace vitrine {
namespace {

using schema::Type;
using testing::RandomValues;

struct Shape {
  size_t rows, inputs, outputs;
};
// Odd sizes, one row, and those of a ViT-Ti layer.
const Shape kShapes[] = {{1, 1, 1}, {1, 17, 5}, {5, 3, 7}, {7, 33, 65}, {50, 192, 576}, {197, 48, 10}};

/// What the operator must give for weights and inputs that are exactly what it sees.
std::vector<float> Expected(const Shape& s, std::span<const float> x, std::span<const float> w,
                            std::span<const float> bias) {
  std::vector<float> y(s.rows * s.outputs);
  for (size_t r = 0; r < s.rows; ++r) {
    for (size_t n = 0; n < s.outputs; ++n) {
      double sum = double{bias[n]};
      for (size_t k = 0; k < s.inputs; ++k) sum += double{x[r * s.inputs + k]} * double{w[n * s.inputs + k]};
      y[r * s.outputs + n] = static_cast<float>(sum);
    }
  }
  return y;
}

std::vector<float> Dequantized(const QuantizedMatrix& matrix) {
  std::vector<float> values(matrix.values.size());
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(matrix.values[i]) * matrix.scales[i / matrix.columns];
  return values;
}

/// A model of one Linear, with an Activate before it that quantizes the input where that is asked for.
struct LinearModel {
  testing::Draft draft;
  std::vector<float> weight, bias;

  LinearModel(const Shape& s, Type input, bool int8_weight) {
    ModelBuilder& b = draft.builder;
    weight = RandomValues(s.outputs * s.inputs, 0.3f, 1);
    bias = RandomValues(s.outputs, 1.0f, 2);
    b.model.input = b.AddTensor("in", Type::F32, s.rows, s.inputs);
    int rows = b.model.input;
    if (input == Type::QD8) {
      schema::ActivateT quantize;
      quantize.input = rows;
      rows = quantize.output = b.AddTensor("rows", Type::QD8, s.rows, s.inputs);
      b.AddOperator("quantize", quantize);
    }
    schema::LinearT op;
    op.input = rows;
    op.output = b.model.embedding = b.AddTensor("out", Type::F32, s.rows, s.outputs);
    if (int8_weight) {
      const QuantizedMatrix matrix = QuantizeRowsSymmetric("w", weight, s.outputs, s.inputs);
      op.weight = b.AddInt8(matrix);
      weight = Dequantized(matrix);
    } else {
      op.weight = b.AddF32("w", weight, s.outputs, s.inputs);
    }
    op.bias = b.AddF32("b", bias, 1, s.outputs);
    b.AddOperator("linear", op);
  }
};

TEST_CASE("LinearInF32IsAPlainSum") {
  for (const Shape& s : kShapes) {
    LinearModel model(s, Type::F32, false);
    const std::vector<float> x = RandomValues(s.rows * s.inputs, 1.0f, 3);
    const testing::Outputs found = testing::RunModel(model.draft.Bytes(), x);
    CHECK(testing::Sqnr(Expected(s, x, model.weight, model.bias), found.last()) > 110);
  }
}

TEST_CASE("LinearWithInt8WeightsSeesTheWeightsExactly") {
  for (const Shape& s : kShapes) {
    LinearModel model(s, Type::F32, true);
    const std::vector<float> x = RandomValues(s.rows * s.inputs, 1.0f, 3);
    const testing::Outputs found = testing::RunModel(model.draft.Bytes(), x);
    CHECK(testing::Sqnr(Expected(s, x, model.weight, model.bias), found.last()) > 110);
  }
}

TEST_CASE("LinearInDynamicInt8SeesTheQuantizedRowsExactly") {
  for (const Shape& s : kShapes) {
    LinearModel model(s, Type::QD8, true);
    const std::vector<float> x = RandomValues(s.rows * s.inputs, 1.0f, 3);
    const testing::Outputs found = testing::RunModel(model.draft.Bytes(), x);
    // The integer product is exact, so what is left is the rounding of the scales.
    CHECK(testing::Sqnr(Expected(s, found.of_operator[0], model.weight, model.bias), found.last()) > 110);
  }
}

TEST_CASE("LinearInDynamicInt8ReadsTheFirstRowsOfALongerInput") {
  for (const size_t rows : {1, 2, 3, 11}) {
    const Shape s{13, 20, 30};
    LinearModel model(s, Type::QD8, true);
    model.draft.builder.model.tensors.back()->rows = static_cast<uint32_t>(rows);
    const std::vector<float> x = RandomValues(s.rows * s.inputs, 1.0f, 3);
    const testing::Outputs found = testing::RunModel(model.draft.Bytes(), x);
    const std::vector<float> expected = Expected(s, found.of_operator[0], model.weight, model.bias);
    CHECK(testing::Sqnr(std::span(expected).first(rows * s.outputs), found.last()) > 110);
  }
}

TEST_CASE("LinearReadsTheFirstRowsOfALongerInput") {
  testing::Draft draft;
  ModelBuilder& b = draft.builder;
  schema::LinearT op;
  op.input = b.model.input = b.AddTensor("in", Type::F32, 4, 2);
  op.output = b.model.embedding = b.AddTensor("out", Type::F32, 2, 1);
  const float weight[2] = {10, 1};
  op.weight = b.AddF32("w", weight, 1, 2);
  b.AddOperator("linear", op);
  const std::vector<float> x = {1, 2, 3, 4, 5, 6, 7, 8};
  CHECK(testing::RunModel(draft.Bytes(), x).last() == std::vector<float>{12, 34});
}

TEST_CASE("LinearReadsARowsByColumnsInputAsOneRow") {
  testing::Draft draft;
  ModelBuilder& b = draft.builder;
  schema::LinearT op;
  op.input = b.model.input = b.AddTensor("in", Type::F32, 2, 2);
  op.output = b.model.logits = b.AddTensor("out", Type::F32, 1, 1);
  const float weight[4] = {1, 10, 100, 1000};
  op.weight = b.AddF32("w", weight, 1, 4);
  b.AddOperator("linear", op);
  CHECK(testing::RunModel(draft.Bytes(), std::vector<float>{1, 2, 3, 4}).last() == std::vector<float>{4321});
}

}  // namespace
}  // namespace vitrine
