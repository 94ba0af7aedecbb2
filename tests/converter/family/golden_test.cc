// SPDX-License-Identifier: Apache-2.0
// Runs the canonical ViT of every fixture in double, as loaded and after folding, and compares with the
// library's output.
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "converter/family/family.h"
#include "tests/support/fixture.h"
#include "tests/support/reference_vit.h"

namespace vitrine {
namespace {

constexpr double kLeastDecibels = 120;

double Decibels(const std::vector<double>& found, const std::vector<float>& expected) {
  if (found.size() != expected.size()) return -INFINITY;
  double signal = 0, noise = 1e-30;
  for (size_t i = 0; i < found.size(); ++i) {
    signal += static_cast<double>(expected[i]) * expected[i];
    noise += (found[i] - expected[i]) * (found[i] - expected[i]);
  }
  return 10 * std::log10(signal / noise);
}

void CheckFixture(const ModelFixture& fixture) {
  INFO(fixture.name);
  const auto checkpoint = OpenCheckpoint(fixture.inputs.checkpoint);
  const Vit vit = MakeVit(checkpoint, fixture.inputs);
  REQUIRE(fixture.outputs.size() == fixture.images.size());
  for (size_t i = 0; i < fixture.images.size(); ++i) {
    const size_t pixels = static_cast<size_t>(vit.config.image_height) * vit.config.image_width;
    REQUIRE(fixture.images[i].size() == static_cast<size_t>(vit.config.channels) * pixels);
    const auto decibels = [&](bool folded, float share) {
      const ReferenceOutput output = RunReference(vit, fixture.images[i], folded, share);
      return Decibels(output.logits.empty() ? output.embedding : output.logits, fixture.outputs[i]);
    };
    CHECK(decibels(false, 1) >= kLeastDecibels);
    CHECK(decibels(true, 1) >= kLeastDecibels);
    CHECK(decibels(true, 0.4f) >= kLeastDecibels);
  }
}

TEST_CASE("Every committed model gives its library's output") {
  const std::vector<ModelFixture> fixtures = CommittedFixtures();
  CHECK(fixtures.size() >= 26);
  for (const ModelFixture& fixture : fixtures) CheckFixture(fixture);
}

TEST_CASE("Every model of the wide set gives its library's output") {
  const std::vector<ModelFixture> fixtures = WideFixtures();
  if (fixtures.empty()) SKIP("the wide set is not at hand");
  CHECK(fixtures.size() >= 49);
  for (const ModelFixture& fixture : fixtures) CheckFixture(fixture);
}

}  // namespace
}  // namespace vitrine
