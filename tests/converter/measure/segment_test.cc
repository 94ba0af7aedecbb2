// SPDX-License-Identifier: Apache-2.0
#include "converter/measure/segment.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <stdexcept>

#include "converter/measure/check_images.h"
#include "tests/support/reference_vit.h"
#include "tests/support/run.h"
#include "tests/support/small_vit.h"

namespace vitrine {
namespace {

std::span<const uint8_t> BytesOf(const std::vector<float>& values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)};
}

TEST_CASE("The whole model in f32 gives what plain loops give") {
  for (const bool inner_norms : {false, true}) {
    const Vit vit = testing::SmallVit(testing::SmallConfig(), inner_norms);
    const std::vector<uint8_t> pixels = SyntheticImages(vit.config, 1).pixels.front();
    const ReferenceOutput expected = RunReference(vit, pixels, false);
    Segment model(vit, Segment::kWhole, Plan(Recipe::kF32), 1);
    CHECK(testing::Sqnr(std::vector<float>(expected.logits.begin(), expected.logits.end()),
                        model.Run(pixels)) > 100);
  }
}

TEST_CASE("Segments one after the other are the whole model") {
  const Vit vit = testing::SmallVit(testing::SmallConfig());
  const std::vector<uint8_t> pixels = SyntheticImages(vit.config, 1).pixels.front();
  const Plan plan(Recipe::kF32);
  std::vector<float> values;
  for (int i = 0; i <= vit.config.depth + 1; ++i) {
    Segment segment(vit, i, plan, 1);
    const auto output = segment.Run(i == 0 ? std::span<const uint8_t>(pixels) : BytesOf(values));
    values.assign(output.begin(), output.end());
  }
  Segment whole(vit, Segment::kWhole, plan, 1);
  CHECK(testing::Sqnr(values, whole.Run(pixels)) > 100);
}

TEST_CASE("A segment lists its f32 linear layers and the tensors that they read") {
  const Vit vit = testing::SmallVit(testing::SmallConfig());
  const Segment block(vit, 1, Plan(Recipe::kF32), 1);
  std::vector<std::pair<Layer, Layer>> found;
  for (const Segment::Linear& linear : block.linears()) found.emplace_back(linear.layer, linear.rows);
  CHECK(found == std::vector<std::pair<Layer, Layer>>{{{1, Kind::kQkv}, {1, Kind::kNorm1}},
                                                      {{1, Kind::kProjection}, {1, Kind::kAttention}},
                                                      {{1, Kind::kFc1}, {1, Kind::kNorm2}},
                                                      {{1, Kind::kFc2}, {1, Kind::kActivation}}});
  REQUIRE(block.tables().size() == 1);
  CHECK(block.tables().front().input == Layer{1, Kind::kFc1});
  CHECK(block.tables().front().output == Layer{1, Kind::kActivation});
}

TEST_CASE("A gated activation cannot be a table") {
  VitConfig config = testing::SmallConfig();
  config.gated_mlp = true;
  config.activation = Activation::kSilu;
  CHECK(Segment(testing::SmallVit(config), 1, Plan(Recipe::kF32), 1).tables().empty());
}

TEST_CASE("What a follower throws arrives after the run, once") {
  const Vit vit = testing::SmallVit(testing::SmallConfig());
  const std::vector<uint8_t> pixels = SyntheticImages(vit.config, 1).pixels.front();
  Segment model(vit, Segment::kWhole, Plan(Recipe::kF32), 1);
  int calls = 0;
  CHECK_THROWS_AS(model.Run(pixels,
                            [&](int index) {
                              ++calls;
                              if (index == 3) throw std::out_of_range("stop");
                            }),
                  std::out_of_range);
  CHECK(calls == 4);
  const std::vector<float> first(model.Run(pixels).begin(), model.Run(pixels).end());
  CHECK(first.size() == 3);  // the session still runs
}

TEST_CASE("The reference has each layer's output for the first image") {
  const Vit vit = testing::SmallVit(testing::SmallConfig());
  const CheckImages images = SyntheticImages(vit.config, 3);
  Reference reference(vit, images.pixels, 1);
  reference.Advance();
  CHECK(reference.first_image().at({0, Kind::kPatchEmbedding}).size() == 16 * 32);
  reference.Advance();
  CHECK(reference.first_image().at({1, Kind::kFc1}).size() == 17 * 64);
  CHECK_FALSE(reference.first_image().contains({0, Kind::kPatchEmbedding}));
  while (!reference.done()) reference.Advance();
  REQUIRE(reference.outputs().size() == 3);
  Segment whole(vit, Segment::kWhole, Plan(Recipe::kF32), 1);
  for (size_t i = 0; i < 3; ++i)
    CHECK(testing::Sqnr(reference.outputs()[i], whole.Run(images.pixels[i])) > 100);
}

TEST_CASE("A follower of the reference may stop it") {
  const Vit vit = testing::SmallVit(testing::SmallConfig());
  Reference reference(vit, SyntheticImages(vit.config, 2).pixels, 1);
  CHECK_THROWS_AS(reference.Advance([](const Segment&, size_t, int) { throw std::runtime_error("stop"); }),
                  std::runtime_error);
}

}  // namespace
}  // namespace vitrine
