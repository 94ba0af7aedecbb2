// SPDX-License-Identifier: Apache-2.0
// Linear against a plain sum in f64, in each of its types.
#include <algorithm>
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
// Odd sizes, one row, and the sizes of a ViT-Ti layer.
const Shape kShapes[] = {{1, 1, 1}, {1, 17, 5}, {5, 3, 7}, {7, 33, 65}, {50, 192, 576}, {197, 48, 10}};

/// Returns the expected output for weights and inputs after quantization.
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

std::vector<float> Dequantized(const Int4Matrix& matrix) {
  std::vector<float> values(matrix.values.size());
  for (size_t i = 0; i < values.size(); ++i)
    values[i] =
        (static_cast<float>(matrix.values[i]) - 8) * FromBfloat16(matrix.block_scales[i / kInt4Block]);
  return values;
}

/// A model of one Linear, with an optional Activate before it that quantizes the input.
struct LinearModel {
  testing::Draft draft;
  std::vector<float> weight, bias;

  LinearModel(const Shape& s, Type input, Type weight_type, Type output = Type::F32) {
    ModelBuilder& b = draft.builder;
    weight = RandomValues(s.outputs * s.inputs, 0.3f, 1);
    bias = RandomValues(s.outputs, 1.0f, 2);
    b.model.input = b.AddTensor("in", Type::F32, s.rows, s.inputs);
    int rows = b.model.input;
    if (input != Type::F32) {
      schema::ActivateT quantize;
      quantize.input = rows;
      rows = quantize.output = b.AddTensor("rows", Type::QD8, s.rows, s.inputs);
      if (input == Type::QS8) b.SetStatic(rows, 0.03f, -7);
      b.AddOperator("quantize", quantize);
    }
    schema::LinearT op;
    op.input = rows;
    op.output = b.AddTensor("out", Type::F32, s.rows, s.outputs);
    if (output == Type::QS8) b.SetStatic(op.output, kOutputScale, kOutputZeroPoint);
    if (weight_type == Type::QB4W) {
      const Int4Matrix matrix = QuantizeBlocks("w", weight, s.outputs, s.inputs);
      op.weight = b.AddInt4(matrix);
      weight = Dequantized(matrix);
    } else if (weight_type == Type::QC8W) {
      const QuantizedMatrix matrix = QuantizeRowsSymmetric("w", weight, s.outputs, s.inputs);
      op.weight = b.AddInt8(matrix);
      weight = Dequantized(matrix);
    } else {
      op.weight = b.AddF32("w", weight, s.outputs, s.inputs);
    }
    op.bias = b.AddF32("b", bias, 1, s.outputs);
    b.AddOperator("linear", op);
    if (output == Type::QS8)
      AddOutput(op.output, s);
    else
      b.model.embedding = op.output;
  }

  /// Adds an operator with an F32 output, which a model needs. `tested` has no other reader.
  void AddOutput(int tested, const Shape& s) {
    ModelBuilder& b = draft.builder;
    schema::LinearT op;
    op.input = tested;
    op.weight = b.AddInt8(QuantizeRowsSymmetric("sum", std::vector<float>(s.outputs, 1.0f), 1, s.outputs));
    op.output = b.model.embedding = b.AddTensor("sum", Type::F32, 1, 1);
    b.AddOperator("sum", op);
  }

  static constexpr float kOutputScale = 0.05f;
  static constexpr int8_t kOutputZeroPoint = 11;
};

TEST_CASE("LinearInF32IsAPlainSum") {
  for (const Shape& s : kShapes) {
    LinearModel model(s, Type::F32, Type::F32);
    const std::vector<float> x = RandomValues(s.rows * s.inputs, 1.0f, 3);
    const testing::Outputs found = testing::RunModel(model.draft.Bytes(), x);
    CHECK(testing::Sqnr(Expected(s, x, model.weight, model.bias), found.last()) > 110);
  }
}

TEST_CASE("LinearWithInt8WeightsSeesTheWeightsExactly") {
  for (const Shape& s : kShapes) {
    LinearModel model(s, Type::F32, Type::QC8W);
    const std::vector<float> x = RandomValues(s.rows * s.inputs, 1.0f, 3);
    const testing::Outputs found = testing::RunModel(model.draft.Bytes(), x);
    CHECK(testing::Sqnr(Expected(s, x, model.weight, model.bias), found.last()) > 110);
  }
}

TEST_CASE("LinearInDynamicInt8SeesTheQuantizedRowsExactly") {
  for (const Shape& s : kShapes) {
    LinearModel model(s, Type::QD8, Type::QC8W);
    const std::vector<float> x = RandomValues(s.rows * s.inputs, 1.0f, 3);
    const testing::Outputs found = testing::RunModel(model.draft.Bytes(), x);
    // The integer product is exact, so only the rounding of the scales remains.
    CHECK(testing::Sqnr(Expected(s, found.of_operator[0], model.weight, model.bias), found.last()) > 110);
  }
}

TEST_CASE("LinearInDynamicInt8ReadsTheFirstRowsOfALongerInput") {
  for (const size_t rows : {1, 2, 3, 11}) {
    const Shape s{13, 20, 30};
    LinearModel model(s, Type::QD8, Type::QC8W);
    model.draft.builder.model.tensors.back()->rows = static_cast<uint32_t>(rows);
    const std::vector<float> x = RandomValues(s.rows * s.inputs, 1.0f, 3);
    const testing::Outputs found = testing::RunModel(model.draft.Bytes(), x);
    const std::vector<float> expected = Expected(s, found.of_operator[0], model.weight, model.bias);
    CHECK(testing::Sqnr(std::span(expected).first(rows * s.outputs), found.last()) > 110);
  }
}

TEST_CASE("LinearInStaticInt8SeesTheQuantizedRowsExactly") {
  for (const Shape& s : kShapes) {
    LinearModel model(s, Type::QS8, Type::QC8W);
    const std::vector<float> x = RandomValues(s.rows * s.inputs, 1.0f, 3);
    const testing::Outputs found = testing::RunModel(model.draft.Bytes(), x);
    CHECK(testing::Sqnr(Expected(s, found.of_operator[0], model.weight, model.bias), found.last()) > 110);
  }
}

TEST_CASE("LinearFromStaticInt8ToStaticInt8RoundsToTheNearestStep") {
  for (const Shape& s : kShapes) {
    LinearModel model(s, Type::QS8, Type::QC8W, Type::QS8);
    const std::vector<float> x = RandomValues(s.rows * s.inputs, 1.0f, 3);
    const testing::Outputs found = testing::RunModel(model.draft.Bytes(), x);
    const std::vector<float> expected = Expected(s, found.of_operator[0], model.weight, model.bias);
    const float scale = LinearModel::kOutputScale, zero_point = LinearModel::kOutputZeroPoint;
    double worst = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      const float inside = std::clamp(expected[i], scale * (-128 - zero_point), scale * (127 - zero_point));
      worst = std::max(worst, std::fabs(double{found.of_operator[1][i]} - double{inside}));
    }
    CHECK(worst <= 0.51 * double{scale});
  }
}

TEST_CASE("LinearWithInt4WeightsSeesRowsAndWeightsExactly") {
  std::vector<Shape> shapes = {{50, 192, 576}, {197, 384, 10}, {9, 1536, 40}};
  for (size_t rows = 1; rows < 35; ++rows) shapes.push_back({rows, 32 * (rows % 3 + 1), 3 * rows});
  for (const Shape& s : shapes) {
    INFO(s.rows << " rows, " << s.inputs << " inputs, " << s.outputs << " outputs");
    LinearModel model(s, Type::QD8, Type::QB4W);
    const std::vector<float> x = RandomValues(s.rows * s.inputs, 1.0f, 3);
    const testing::Outputs found = testing::RunModel(model.draft.Bytes(), x);
    CHECK(testing::Sqnr(Expected(s, found.of_operator[0], model.weight, model.bias), found.last()) > 100);
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
