// SPDX-License-Identifier: Apache-2.0
// The other operators: small examples that can be checked by hand (kernels/ has the wide comparisons), and
// refusals.
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

TEST_CASE("NormalizeAddsTheDeltaToTheResidualAndAppliesTheAffine") {
  RowsDraft d(2, 2);
  schema::ActivateT copy;
  copy.input = d.input;
  copy.output = d.builder.AddTensor("delta", Type::F32, 2, 2);
  d.builder.AddOperator("copy", copy);
  schema::NormalizeT op;
  op.residual = d.input;
  op.delta = copy.output;
  op.epsilon = 1e-6f;
  const float gamma[2] = {2, 3}, beta[2] = {10, 20};
  op.gamma = d.builder.AddF32("gamma", gamma, 1, 2);
  op.beta = d.builder.AddF32("beta", beta, 1, 2);
  op.output = d.Output(Type::F32, 2, 2);
  d.builder.AddOperator("norm", op);
  CheckValues(testing::RunModel(d.Bytes(), std::vector<float>{1, 3, 5, 5}).last(), {10 - 2, 20 + 3, 10, 20},
              1e-4);
}

TEST_CASE("RotateHeadsRotatesTheHeadsOfThePatches") {
  RowsDraft d(2, 5);  // a class token and a patch; one column, then two heads of two
  schema::RotateHeadsT op;
  op.tensor = d.input;
  op.column = op.first_row = 1;
  op.heads = op.head_size = 2;
  const float quarter_turn[2] = {0, 1};  // cosine, sine
  op.table = d.builder.AddF32("table", quarter_turn, 1, 2);
  d.builder.AddOperator("rotate", op);
  schema::ActivateT copy;
  copy.input = d.input;
  copy.output = d.Output(Type::F32, 2, 5);
  d.builder.AddOperator("copy", copy);
  const std::vector<float> rows = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  CheckValues(testing::RunModel(d.Bytes(), rows).last(), {1, 2, 3, 4, 5, 6, -8, 7, -10, 9});

  const auto refusal = [](auto change) {
    RowsDraft r(2, 5);
    schema::RotateHeadsT wrong;
    wrong.tensor = r.input;
    wrong.column = wrong.first_row = 1;
    wrong.heads = wrong.head_size = 2;
    const std::vector<float> table(4);
    wrong.table = r.builder.AddF32("table", table, 1, 2);
    r.builder.model.embedding = r.input;
    change(wrong);
    r.builder.AddOperator("rotate", wrong);
    return testing::WhyRefused(r.Bytes());
  };
  CHECK_THAT(refusal([](auto& o) { o.column = 2; }),
             ContainsSubstring("rotate: tensor has 5 columns, expected 4 from column 2 on"));
  CHECK_THAT(refusal([](auto& o) { o.head_size = 1; }),
             ContainsSubstring("rotate: heads have 1 columns, expected an even number"));
  CHECK_THAT(refusal([](auto& o) { o.first_row = 2; }),
             ContainsSubstring("first patch is row 2, the tensor has 2 rows"));
  CHECK_THAT(refusal([](auto& o) { o.first_row = 0; }), ContainsSubstring("table is 1x2, expected 2x2"));
  CHECK_THAT(refusal([](auto& o) { o.table = 7; }), ContainsSubstring("constant 7 does not exist"));
}

TEST_CASE("ActivateMultipliesTheSecondHalfByTheFunctionOfTheFirst") {
  RowsDraft d(1, 4);
  schema::ActivateT op;
  op.input = d.input;
  op.function = schema::Function::Relu;
  op.gated = true;
  op.output = d.Output(Type::F32, 1, 2);
  d.builder.AddOperator("gate", op);
  CheckValues(testing::RunModel(d.Bytes(), std::vector<float>{3, -3, 5, 5}).last(), {15, 0});
}

/// Quantizes f32 rows to static int8, applies a table, and converts to f32 with a sum of one value.
struct TableDraft : RowsDraft {
  explicit TableDraft(schema::Function function) : RowsDraft(5, 1) {
    schema::ActivateT quantize;
    quantize.input = input;
    quantize.output = builder.AddTensor("rows", Type::F32, 5, 1);
    builder.SetStatic(quantize.output, 0.05f, 28);
    builder.AddOperator("quantize", quantize);
    activate.input = quantize.output;
    activate.function = function;
    activate.output = builder.AddTensor("activated", Type::F32, 5, 1);
    builder.SetStatic(activate.output, 0.02f, -120);
  }
  testing::ModelBytes Finish() {
    builder.AddOperator("activate", activate);
    schema::LinearT sum;
    sum.input = activate.output;
    sum.weight = builder.AddInt8(QuantizeRowsSymmetric("one", std::vector<float>{1}, 1, 1));
    sum.output = Output(Type::F32, 5, 1);
    builder.AddOperator("sum", sum);
    return Bytes();
  }
  schema::ActivateT activate;
};

TEST_CASE("ActivateOfStaticInt8UsesATable") {
  TableDraft d(schema::Function::GeluErf);
  const auto found = testing::RunModel(d.Finish(), std::vector<float>{-9, -1, 0, 1, 3}).of_operator[1];
  // -9 saturates at -7.8, which has no effect on GELU.
  CheckValues(found, {0, -0.1587, 0, 0.8413, 2.996}, 0.0101);
}

TEST_CASE("RefusesATableWithoutQs8OnBothSides") {
  TableDraft gated(schema::Function::Silu), dynamic(schema::Function::Silu);
  gated.activate.gated = true;
  CHECK_THAT(testing::WhyRefused(gated.Finish()), ContainsSubstring("activate: input is 5x1, expected 5x2"));
  dynamic.builder.model.tensors.back()->type = Type::QD8;
  CHECK_THAT(testing::WhyRefused(dynamic.Finish()), ContainsSubstring("a QS8 input needs a QS8 output"));
}

TEST_CASE("RefusesALinearWithTypesThatHaveNoKernel") {
  const auto refusal = [](Type input, Type weight, Type output) {
    RowsDraft d(2, 32);
    schema::ActivateT quantize;
    quantize.input = d.input;
    quantize.output = d.builder.AddTensor("rows", input, 2, 32);
    if (input == Type::QS8) d.builder.SetStatic(quantize.output, 1, 0);
    d.builder.AddOperator("quantize", quantize);
    schema::LinearT op;
    const std::vector<float> values(64, 1.0f);
    op.input = quantize.output;
    op.weight = weight == Type::F32    ? d.builder.AddF32("w", values, 2, 32)
                : weight == Type::QC8W ? d.builder.AddInt8(QuantizeRowsSymmetric("w", values, 2, 32))
                                       : d.builder.AddInt4(QuantizeBlocks("w", values, 2, 32));
    op.output = d.Output(output, 2, 2);
    if (output == Type::QS8) d.builder.SetStatic(op.output, 1, 0);
    d.builder.AddOperator("fc1", op);
    return testing::WhyRefused(d.Bytes());
  };
  CHECK_THAT(refusal(Type::QS8, Type::F32, Type::F32),
             ContainsSubstring("the input is QS8, expected F32 with an F32 weight"));
  CHECK_THAT(refusal(Type::QS8, Type::QB4W, Type::F32),
             ContainsSubstring("the input is QS8, expected QD8 with a QB4W weight"));
  CHECK_THAT(refusal(Type::F32, Type::QB4W, Type::F32),
             ContainsSubstring("the input is F32, expected QD8 with a QB4W weight"));
  CHECK(refusal(Type::QD8, Type::QC8W, Type::QS8) != "");
}

TEST_CASE("PoolWritesMeansNextToEachOther") {
  RowsDraft d(3, 2);
  schema::PoolT op;
  op.input = d.input;
  op.ranges = {{0, 1}, {1, 2}};
  op.output = d.Output(Type::F32, 1, 4);
  d.builder.AddOperator("pool", op);
  CheckValues(testing::RunModel(d.Bytes(), std::vector<float>{1, 2, 3, 4, 5, 8}).last(), {1, 2, 4, 6});
}

TEST_CASE("PixelsAndPositionsBecomeTokens") {
  Draft d;
  ModelBuilder& b = d.builder;
  b.model.image = std::make_unique<schema::ImageInputT>();
  b.model.image->height = b.model.image->width = 2;
  b.model.image->channels = 1;
  schema::PixelsToRowsT pixels;
  pixels.image = b.model.input = b.AddTensor("image", Type::U8, 4, 1);
  pixels.output = b.AddTensor("rows", Type::F32, 2, 2);
  pixels.image_height = pixels.image_width = 2;
  pixels.patch_height = 1;
  pixels.patch_width = 2;
  pixels.zero_point = 2;
  b.AddOperator("pixels", pixels);
  schema::AddPositionsT add;
  add.patches = pixels.output;
  const float positions[6] = {0.5f, 0.25f, 100, 200, 300, 400};
  add.positions = b.AddF32("positions", positions, 3, 2);
  add.tokens = b.model.embedding = b.AddTensor("tokens", Type::F32, 3, 2);
  add.first_patch = 1;
  b.AddOperator("positions", add);

  const testing::ModelBytes bytes = d.Bytes();
  const Result<Model> model = Model::FromBytes(bytes.bytes());
  REQUIRE(model.ok());
  Result<Session> session = Session::Create(model.value(), {});
  REQUIRE(session.ok());
  const uint8_t image[4] = {130, 131, 0, 255};  // zero is 128 + 2
  std::copy(std::begin(image), std::end(image), session.value().input().begin());
  REQUIRE(session.value().Run().ok());
  CheckValues(session.value().embedding(), {0.5, 0.25, 100, 201, 300 - 130, 400 + 125});
}

TEST_CASE("NamesTheOperatorWhenAShapeDoesNotFit") {
  const auto refusal = [](auto change) {
    RowsDraft d(5, 8);
    schema::LinearT op;
    op.input = d.input;
    const std::vector<float> weight(24, 0.5f);
    op.weight = d.builder.AddF32("w", weight, 3, 8);
    op.output = d.Output(Type::F32, 5, 3);
    change(d, op);
    d.builder.AddOperator("block 7 fc1", op);
    return testing::WhyRefused(d.Bytes());
  };
  CHECK_THAT(refusal([](RowsDraft& d, schema::LinearT&) { d.builder.model.tensors[1]->columns = 4; }),
             ContainsSubstring("block 7 fc1: output is 5x4, expected anyx3"));
  CHECK_THAT(refusal([](RowsDraft& d, schema::LinearT&) { d.builder.model.tensors[0]->columns = 9; }),
             ContainsSubstring("block 7 fc1: input is 5x9, expected 5x8"));
  CHECK_THAT(refusal([](RowsDraft& d, schema::LinearT&) { d.builder.model.tensors[0]->rows = 4; }),
             ContainsSubstring("block 7 fc1: input is 4x8, expected 5x8"));
  CHECK_THAT(refusal([](RowsDraft&, schema::LinearT& op) { op.weight = 5; }),
             ContainsSubstring("weight: constant 5 does not exist"));
  CHECK_THAT(refusal([](RowsDraft&, schema::LinearT& op) { op.bias = 0; }),
             ContainsSubstring("bias is 3x8, expected 1x3"));
  CHECK_THAT(refusal([](RowsDraft&, schema::LinearT& op) { op.input = -1; }),
             ContainsSubstring("input: tensor -1 does not exist"));
  CHECK_THAT(refusal([](RowsDraft&, schema::LinearT& op) { op.output = op.input; }),
             ContainsSubstring("block 7 fc1"));
}

TEST_CASE("RefusesToReadATensorThatNoOperatorHasWritten") {
  RowsDraft d(1, 4);
  schema::ActivateT op;
  op.input = d.builder.AddTensor("nowhere", Type::F32, 1, 4);
  op.output = d.Output(Type::F32, 1, 4);
  d.builder.AddOperator("copy", op);
  CHECK_THAT(testing::WhyRefused(d.Bytes()),
             ContainsSubstring("copy reads tensor 1, which no operator has written"));
}

}  // namespace
}  // namespace vitrine