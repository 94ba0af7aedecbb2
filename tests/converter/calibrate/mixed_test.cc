// SPDX-License-Identifier: Apache-2.0
#include "converter/calibrate/mixed.h"

#include <catch2/catch_test_macros.hpp>
#include <vitrine/sqnr.hpp>

#include "converter/measure/fidelity.h"
#include "converter/measure/segment.h"
#include "tests/support/small_vit.h"

namespace vitrine {
namespace {

using schema::Type;

void NoProgress(double) {}

/// A calibrated model and its images.
struct Calibrated {
  Vit vit = testing::SmallVit(testing::SmallConfig());
  CheckImages images = SyntheticImages(vit.config, 6);
  Calibrator calibrator{vit, images, {}, 1};
  Plan plan{Recipe::kMixed};

  Calibrated() {
    while (!calibrator.done()) calibrator.PlanNext(&plan, NoProgress);
  }

  /// Chooses types within a budget.
  Plan Choose(const Budget& budget, const std::vector<int>& classes = {}) const {
    Plan chosen = plan;
    ChooseTypes(vit, {images, calibrator.reference().outputs(), classes}, calibrator.rows(), budget, 1,
                NoProgress, &chosen);
    return chosen;
  }

  double SqnrOf(const Plan& by) const {
    Segment model(vit, Segment::kWhole, by, 1);
    Sqnr sqnr;
    for (size_t i = 0; i < images.pixels.size(); ++i)
      sqnr.Add(calibrator.reference().outputs()[i], model.Run(images.pixels[i]));
    return sqnr.decibels();
  }
};

size_t CountOf(const Plan& plan, Type type) {
  size_t count = 0;
  for (const auto& [layer, tensor] : plan.tensors) count += tensor.type == type;
  return count;
}

TEST_CASE("A budget that static int8 keeps changes nothing") {
  const Calibrated calibrated;
  const Plan chosen = calibrated.Choose({1, std::nullopt});
  CHECK(CountOf(chosen, Type::QS8) == calibrated.plan.tensors.size());
}

TEST_CASE("The chosen types keep the budget") {
  const Calibrated calibrated;
  const double all_static = calibrated.SqnrOf(calibrated.plan);
  for (const double more : {1.0, 4.0, 10.0}) {
    const Plan chosen = calibrated.Choose({all_static + more, std::nullopt});
    CHECK(calibrated.SqnrOf(chosen) >= all_static + more);
    CHECK(CountOf(chosen, Type::QS8) < calibrated.plan.tensors.size());
  }
}

TEST_CASE("A budget that only f32 keeps makes everything f32") {
  const Calibrated calibrated;
  const Plan chosen = calibrated.Choose({150, std::nullopt});
  CHECK(CountOf(chosen, Type::F32) == chosen.tensors.size());
  CHECK(chosen.rows.type == Type::F32);
  CHECK(chosen.attention == Type::F32);
}

TEST_CASE("A table stays only between two static tensors") {
  const Calibrated calibrated;
  const Plan chosen = calibrated.Choose({calibrated.SqnrOf(calibrated.plan) + 8, std::nullopt});
  for (const auto& [layer, tensor] : chosen.tensors) {
    if (layer.kind != Kind::kFc1 || tensor.type != Type::QS8) continue;
    CHECK(chosen.Rows({layer.block, Kind::kNorm2}).type == Type::QS8);
    CHECK(chosen.Rows({layer.block, Kind::kActivation}).type == Type::QS8);
  }
}

TEST_CASE("The default budget is at most one decibel below dynamic int8") {
  const Calibrated calibrated;
  Plan dynamic = calibrated.plan;
  for (auto& [layer, tensor] : dynamic.tensors) tensor = {layer.kind == Kind::kFc1 ? Type::F32 : Type::QD8};
  CHECK(calibrated.SqnrOf(calibrated.Choose({})) >= std::min(36.0, calibrated.SqnrOf(dynamic) - 1));
}

TEST_CASE("An accuracy budget counts the true classes") {
  const Calibrated calibrated;
  std::vector<int> classes;
  for (const std::vector<float>& output : calibrated.calibrator.reference().outputs())
    classes.push_back(static_cast<int>(Top1(output)));
  const Plan chosen = calibrated.Choose({0, 0}, classes);
  Segment model(calibrated.vit, Segment::kWhole, chosen, 1);
  for (size_t i = 0; i < classes.size(); ++i)
    CHECK(static_cast<int>(Top1(model.Run(calibrated.images.pixels[i]))) == classes[i]);
}

}  // namespace
}  // namespace vitrine
