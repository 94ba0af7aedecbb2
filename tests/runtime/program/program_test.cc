// SPDX-License-Identifier: Apache-2.0
#include "runtime/program/program.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/support/tiny_model.h"

namespace vitrine {
namespace {

using Catch::Matchers::ContainsSubstring;
using testing::Draft;
using testing::ModelBytes;

/// The smallest valid model: four numbers as input, the same four as output.
void Fill(ModelBuilder* builder) {
  schema::ActivateT op;
  op.input = builder->model.input = builder->AddTensor("in", schema::Type::F32, 1, 4);
  op.output = builder->model.embedding = builder->AddTensor("out", schema::Type::F32, 1, 4);
  builder->AddOperator("copy", op);
  const float values[4] = {1, 2, 3, 4};
  builder->AddF32("constant", values, 1, 4);
}

std::string WhyRefused(const ModelBytes& model) {
  const Result<Program> program = Program::Verify(model.bytes());
  REQUIRE_FALSE(program.ok());
  return program.status().message();
}

TEST_CASE("AcceptsASmallModel") {
  Draft draft;
  Fill(&draft.builder);
  const ModelBytes model = draft.Bytes();
  const Result<Program> program = Program::Verify(model.bytes());
  REQUIRE(program.ok());
  CHECK(program.value().tensor_count() == 2);
  CHECK(program.value().constant(0).f32()[2] == 3.0f);
  CHECK(program.value().CheckConstant(0).ok());
}

TEST_CASE("RefusesWhatMakesNoSense") {
  struct Case {
    const char* reason;
    void (*change)(schema::ModelT&);
  };
  const Case cases[] = {
      {"tensor 0 is 0x4", [](schema::ModelT& m) { m.tensors[0]->rows = 0; }},
      {"tensor 1 is 4294967295x4294967295",
       [](schema::ModelT& m) { m.tensors[1]->rows = m.tensors[1]->columns = ~0u; }},
      {"tensor 0 has type 4", [](schema::ModelT& m) { m.tensors[0]->type = schema::Type::QC8W; }},
      {"scale is 0, expected above zero", [](schema::ModelT& m) { m.tensors[1]->type = schema::Type::QS8; }},
      {"constant 0 has type 2", [](schema::ModelT& m) { m.constants[0]->type = schema::Type::QD8; }},
      {"constant 0 has 4 columns, expected a multiple of 32",
       [](schema::ModelT& m) { m.constants[0]->type = schema::Type::QB4W; }},
      {"constant 0 begins at byte 64", [](schema::ModelT& m) { m.constants[0]->offset = 64; }},
      {"constant 0 ends at byte", [](schema::ModelT& m) { m.constants[0]->rows = 1000; }},
      {"the weights have 64 bytes, the constants 0", [](schema::ModelT& m) { m.constants.clear(); }},
      {"input tensor 7 does not exist", [](schema::ModelT& m) { m.input = 7; }},
      {"output tensor 9 does not exist", [](schema::ModelT& m) { m.logits = 9; }},
      {"the model has no output", [](schema::ModelT& m) { m.embedding = -1; }},
      {"2 labels for 0 classes",
       [](schema::ModelT& m) {
         m.labels = {"a", "b"};
       }},
      {"0 operators", [](schema::ModelT& m) { m.operators.clear(); }},
      {"an input must be F32 or U8", [](schema::ModelT& m) { m.tensors[0]->type = schema::Type::QD8; }},
      {"input image is 0x0", [](schema::ModelT& m) { m.image = std::make_unique<schema::ImageInputT>(); }},
  };
  for (const Case& c : cases) {
    Draft draft;
    Fill(&draft.builder);
    c.change(draft.builder.model);
    CHECK_THAT(WhyRefused(draft.Bytes()), ContainsSubstring(c.reason));
  }
}

TEST_CASE("RefusesAnotherMajorVersionByName") {
  Draft draft;
  Fill(&draft.builder);
  ModelBytes model = draft.Bytes();
  const auto& root = reinterpret_cast<const flatbuffers::Table&>(*schema::GetModel(model.bytes().data()));
  const uint8_t* field = root.GetAddressOf(schema::Model::VT_FORMAT_MAJOR);
  model.bytes()[static_cast<size_t>(field - model.bytes().data())] = 2;
  CHECK_THAT(WhyRefused(model), ContainsSubstring("file format 2." + std::to_string(kFormatMinor) +
                                                  ", this runtime reads format 1"));
}

TEST_CASE("RefusesFilesOfOtherKinds") {
  const char text[] = "<!doctype html><html>this is no model at all, but long enough to be one</html>";
  CHECK_THAT(WhyRefused(ModelBytes({reinterpret_cast<const uint8_t*>(text), sizeof text})),
             ContainsSubstring("not a vitrine model"));
  CHECK_THAT(WhyRefused(ModelBytes({reinterpret_cast<const uint8_t*>(text), 3})),
             ContainsSubstring("not a vitrine model"));
}

TEST_CASE("RefusesBytesThatAreNotAligned") {
  const ModelBytes model = testing::TinyVit(true);
  const Result<Program> program = Program::Verify(model.bytes().subspan(4));
  REQUIRE_FALSE(program.ok());
  CHECK(program.status().code() == Code::kInvalidArgument);
}

TEST_CASE("RefusesAFileCutAnywhere") {
  const ModelBytes whole = testing::TinyVit(true);
  for (size_t size = 0; size < whole.bytes().size(); size += size < 4096 ? 1 : 61) {
    const ModelBytes cut(whole.bytes().first(size));
    REQUIRE_FALSE(Program::Verify(cut.bytes()).ok());
  }
}

TEST_CASE("NoticesEveryFlippedBit") {
  ModelBytes model = testing::TinyVit(true);
  const size_t weights_begin = MetadataBytes(*schema::GetModel(model.bytes().data()), model.bytes()).size();
  for (size_t i = 0; i < 8 * model.bytes().size(); ++i) {
    const size_t byte = i / 8;
    const uint8_t bit = static_cast<uint8_t>(1u << (i % 8));
    model.bytes()[byte] ^= bit;
    const Result<Program> program = Program::Verify(model.bytes());
    bool noticed = !program.ok();
    if (!noticed && byte >= weights_begin) {
      for (int c = 0; c < program.value().constant_count(); ++c)
        noticed |= !program.value().CheckConstant(c).ok();
    }
    if (!noticed) FAIL("byte " << byte << " bit " << i % 8);
    model.bytes()[byte] ^= bit;
  }
}

TEST_CASE("RefusesAScaleOfZeroOrInfinity") {
  for (const float scale : {0.0f, -1.0f, std::numeric_limits<float>::infinity(), std::nanf("")}) {
    Draft draft;
    Fill(&draft.builder);
    QuantizedMatrix matrix{2, 4, std::vector<int8_t>(8, 1), {1.0f, scale}};
    draft.builder.AddInt8(matrix);
    const ModelBytes model = draft.Bytes();
    const Result<Program> program = Program::Verify(model.bytes());
    REQUIRE(program.ok());
    const Status status = program.value().CheckConstant(1);
    REQUIRE_FALSE(status.ok());
    CHECK_THAT(status.message(), ContainsSubstring("scale of channel 1"));
  }
}

}  // namespace
}  // namespace vitrine
