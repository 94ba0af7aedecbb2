// SPDX-License-Identifier: Apache-2.0
#include "converter/calibrate/mixed.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/support/small_vit.h"

namespace vitrine {
namespace {

using schema::Type;

void NoProgress(double) {}

TensorPlan Static(float scale) { return {Type::QS8, scale, 0}; }

TEST_CASE("Coarser steps of a tensor bring more noise to the output") {
  const Vit vit = testing::SmallVit(testing::SmallConfig());
  const CheckImages images = SyntheticImages(vit.config, 2);
  const Layer layer = {1, Kind::kNorm2};
  Plan fine(Recipe::kStatic), coarse(Recipe::kStatic);
  fine.tensors[layer] = Static(1.0f / 32);
  coarse.tensors[layer] = Static(1.0f / 2);
  const double fine_noise = MeasureSensitivity(vit, images, fine, 1, NoProgress).at(layer);
  const double coarse_noise = MeasureSensitivity(vit, images, coarse, 1, NoProgress).at(layer);
  CHECK(fine_noise > 0);
  CHECK(coarse_noise > 10 * fine_noise);
}

TEST_CASE("Only tensors that linear layers read are measured") {
  const Vit vit = testing::SmallVit(testing::SmallConfig());
  Plan plan(Recipe::kStatic);
  plan.tensors[{1, Kind::kNorm1}] = plan.tensors[{2, Kind::kActivation}] = Static(1.0f / 8);
  plan.tensors[{1, Kind::kFc1}] = Static(1.0f / 8);  // input of a table
  const auto noise = MeasureSensitivity(vit, SyntheticImages(vit.config, 1), plan, 1, NoProgress);
  CHECK(noise.size() == 2);
  CHECK(noise.contains({1, Kind::kNorm1}));
  CHECK(noise.contains({2, Kind::kActivation}));
}

TEST_CASE("Progress increases to one") {
  const Vit vit = testing::SmallVit(testing::SmallConfig());
  Plan plan(Recipe::kStatic);
  plan.tensors[{1, Kind::kNorm1}] = Static(1.0f / 8);
  double last = 0;
  MeasureSensitivity(vit, SyntheticImages(vit.config, 1), plan, 1, [&](double fraction) {
    CHECK(fraction > last);
    last = fraction;
  });
  CHECK(last == 1);
}

TEST_CASE("The share of noise is finite without a signal") {
  CHECK(NoiseShare({4, 1}) == 0.25);
  CHECK(NoiseShare({0, 0}) == 0);
}

}  // namespace
}  // namespace vitrine
