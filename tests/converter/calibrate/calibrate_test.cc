// SPDX-License-Identifier: Apache-2.0
#include "converter/calibrate/calibrate.h"

#include <catch2/catch_test_macros.hpp>
#include <stdexcept>

#include "tests/support/small_vit.h"

namespace vitrine {
namespace {

using schema::Type;

void NoProgress(double) {}

/// Calibrates the whole of a model.
Plan PlanOf(const Vit& vit, Recipe recipe, const CalibrationOptions& options = {}) {
  const CheckImages images = SyntheticImages(vit.config, 4);
  Calibrator calibrator(vit, images, options, 1);
  Plan plan(recipe);
  while (!calibrator.done()) calibrator.PlanNext(&plan, NoProgress);
  return plan;
}

TEST_CASE("Each tensor that a block's linear layers read gets a range") {
  const Plan plan = PlanOf(testing::SmallVit(testing::SmallConfig()), Recipe::kStatic);
  for (const int block : {1, 2}) {
    for (const Kind kind : {Kind::kNorm1, Kind::kAttention, Kind::kNorm2, Kind::kActivation}) {
      INFO(NameOf({block, kind}));
      CHECK(plan.Rows({block, kind}).type == Type::QS8);
      CHECK(plan.Rows({block, kind}).scale > 0);
    }
  }
  CHECK_FALSE(plan.tensors.contains({0, Kind::kNorm}));  // the input of the head, which stays f32
}

TEST_CASE("Tables can be switched off") {
  const Vit vit = testing::SmallVit(testing::SmallConfig());
  CHECK(PlanOf(vit, Recipe::kStatic).Output({1, Kind::kFc1}).type == Type::QS8);
  CalibrationOptions options;
  options.tables = false;
  CHECK(PlanOf(vit, Recipe::kStatic, options).Output({1, Kind::kFc1}).type == Type::F32);
}

TEST_CASE("Only tensors whose columns something can divide are smoothed") {
  const Vit vit = testing::SmallVit(testing::SmallConfig());
  for (const auto& [layer, factors] : PlanOf(vit, Recipe::kStatic).smoothing) {
    INFO(NameOf(layer));
    CHECK(layer.kind != Kind::kActivation);
    CHECK(factors.size() == 32);
  }
  CalibrationOptions options;
  options.smooth = false;
  CHECK(PlanOf(vit, Recipe::kStatic, options).smoothing.empty());
}

TEST_CASE("Attention pooling is calibrated but not smoothed") {
  VitConfig config = testing::SmallConfig();
  config.pooling = Pooling::kAttention;
  config.prefix_tokens = 0;
  const Plan plan = PlanOf(testing::SmallVit(config), Recipe::kStatic);
  for (const Kind kind : {Kind::kNorm, Kind::kPoolAttention, Kind::kPoolNorm2, Kind::kPoolActivation}) {
    CHECK(plan.Rows({0, kind}).type == Type::QS8);
    CHECK_FALSE(plan.smoothing.contains({0, kind}));
  }
  CHECK(plan.Output({0, Kind::kPoolFc1}).type == Type::QS8);
}

TEST_CASE("int4 keeps the Gram matrices of one segment") {
  const Vit vit = testing::SmallVit(testing::SmallConfig());
  const CheckImages images = SyntheticImages(vit.config, 4);
  Calibrator calibrator(vit, images, {}, 1);
  Plan plan(Recipe::kInt4);
  calibrator.PlanNext(&plan, NoProgress);
  CHECK(plan.grams.empty());  // the patch embedding takes pixels
  calibrator.PlanNext(&plan, NoProgress);
  REQUIRE(plan.grams.contains({1, Kind::kNorm1}));
  CHECK(plan.grams.at({1, Kind::kNorm1}).size() == 32 * 32);
  calibrator.PlanNext(&plan, NoProgress);
  CHECK_FALSE(plan.grams.contains({1, Kind::kNorm1}));
  CHECK(plan.grams.contains({2, Kind::kNorm1}));
  CHECK(plan.tensors.empty());
}

TEST_CASE("A progress function that throws ends the calibration") {
  const Vit vit = testing::SmallVit(testing::SmallConfig());
  const CheckImages images = SyntheticImages(vit.config, 2);
  Calibrator calibrator(vit, images, {}, 1);
  Plan plan(Recipe::kStatic);
  CHECK_THROWS_AS(calibrator.PlanNext(&plan, [](double) { throw std::runtime_error("cancelled"); }),
                  std::runtime_error);
}

}  // namespace
}  // namespace vitrine
