// SPDX-License-Identifier: Apache-2.0
#include "converter/measure/fidelity.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <stdexcept>

#include "converter/error.h"
#include "converter/lower/lower.h"
#include "converter/lower/merge_tokens.h"
#include "converter/lower/model_builder.h"
#include "converter/lower/output_file.h"
#include "converter/measure/segment.h"
#include "tests/converter/checkpoint/files.h"
#include "tests/support/small_vit.h"

namespace vitrine {
namespace {

void NoProgress(double) {}

/// A small model written by a recipe.
struct Written {
  checkpoint::ScratchFolder folder;
  Vit vit;
  Plan plan;
  WrittenModel file{{}, {}, vit, plan};

  explicit Written(Recipe recipe, int merged = 0) : vit(testing::SmallVit(ConfigOf(merged))), plan(recipe) {
    file.path = folder.path() / "model.vit";
    OutputFile output(file.path);
    ModelBuilder builder(&output);
    Lowering lowering(&builder, vit.config, plan);
    for (int segment = 0; segment <= vit.config.depth + 1; ++segment)
      LowerSegment(vit, segment, plan, &lowering);
    MergedProgram program = MergeTokens(builder.model, lowering.operators(), vit.config, merged);
    builder.model.merged_tokens = program.level.merged_tokens;
    builder.model.tensors = std::move(program.level.tensors);
    builder.model.operators = std::move(program.level.operators);
    builder.model.image = ImageInputOf(vit.config, vit.image);
    file.operators = program.operators;
    output.Assemble(builder.Metadata());
    output.Commit();
  }

  static VitConfig ConfigOf(int merged) {
    VitConfig config = testing::SmallConfig();
    config.pooling = Pooling::kPatchMean;
    config.keys_are_compared = merged > 0;
    return config;
  }

  Fidelity Measure(const CheckImages& images, const std::vector<std::vector<float>>* known = nullptr) const {
    return MeasureFidelity(file, images, images.pixels.front(), known, 1, NoProgress);
  }
};

TEST_CASE("An f32 file is its model") {
  const Written written(Recipe::kF32);
  const Fidelity fidelity = written.Measure(SyntheticImages(written.vit.config, 3));
  CHECK(fidelity.images == 3);
  CHECK(fidelity.synthetic);
  CHECK(fidelity.levels.front().sqnr_db > 100);
  CHECK(fidelity.levels.front().agreement == 1);
  CHECK(fidelity.changed.empty());
  CHECK(fidelity.first_output.size() == 3);
}

TEST_CASE("Every operator is compared with its counterpart in f32") {
  const Written written(Recipe::kDynamic);
  const Fidelity fidelity = written.Measure(SyntheticImages(written.vit.config, 2));
  REQUIRE(fidelity.operator_sqnr_db.size() == written.file.operators.size());
  for (size_t i = 0; i < fidelity.operator_sqnr_db.size(); ++i) {
    INFO(NameOf(written.file.operators[i]));
    CHECK(fidelity.operator_sqnr_db[i] > 15);
    CHECK_FALSE(fidelity.operator_values[i].counts.empty());
  }
  CHECK(fidelity.levels.front().sqnr_db > 15);
  CHECK(fidelity.levels.front().sqnr_db < 100);
}

TEST_CASE("Operators after a merge have no counterpart") {
  const Written written(Recipe::kF32, 4);
  const Fidelity fidelity = written.Measure(SyntheticImages(written.vit.config, 2));
  bool merged = false;
  for (size_t i = 0; i < fidelity.operator_sqnr_db.size(); ++i) {
    const Layer& layer = written.file.operators[i];
    merged = merged || layer.kind == Kind::kMerge;
    if (!merged) CHECK(fidelity.operator_sqnr_db[i] > 100);
    if (merged && layer.block > 0) CHECK(std::isnan(fidelity.operator_sqnr_db[i]));
  }
  CHECK(merged);
  CHECK(fidelity.levels.front().sqnr_db < 100);
}

TEST_CASE("Known outputs give the same result") {
  const Written written(Recipe::kDynamic);
  const CheckImages images = SyntheticImages(written.vit.config, 2);
  Reference reference(written.vit, images.pixels, 1);
  while (!reference.done()) reference.Advance();
  const Fidelity measured = written.Measure(images), known = written.Measure(images, &reference.outputs());
  CHECK(measured.levels.front().sqnr_db == known.levels.front().sqnr_db);
  CHECK(measured.operator_sqnr_db == known.operator_sqnr_db);
}

TEST_CASE("An image with another class than f32's is reported") {
  const Written written(Recipe::kDynamic);
  const CheckImages images = SyntheticImages(written.vit.config, 1);
  Reference reference(written.vit, images.pixels, 1);
  while (!reference.done()) reference.Advance();
  std::vector<float> other = reference.outputs().front();
  other[(Top1(other) + 1) % other.size()] += 100;
  const std::vector<std::vector<float>> known = {other};
  const Fidelity fidelity = written.Measure(images, &known);
  REQUIRE(fidelity.changed.size() == 1);
  CHECK(fidelity.changed.front().pixels == images.pixels.front());
  CHECK(fidelity.changed.front().expected.front().index == static_cast<int>(Top1(other)));
  CHECK(fidelity.levels.front().agreement == 0);
}

TEST_CASE("A progress function that throws ends the measurement") {
  const Written written(Recipe::kDynamic);
  const CheckImages images = SyntheticImages(written.vit.config, 1);
  CHECK_THROWS_AS(MeasureFidelity(written.file, images, images.pixels.front(), nullptr, 1,
                                  [](double) { throw std::runtime_error("cancelled"); }),
                  std::runtime_error);
}

TEST_CASE("The largest value is first") {
  CHECK(Top1(std::vector<float>{1, 3, 2}) == 1);
  CHECK(Top1(std::vector<float>{-1, -3}) == 0);
}

}  // namespace
}  // namespace vitrine
