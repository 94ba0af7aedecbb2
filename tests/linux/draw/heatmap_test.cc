// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/draw/heatmap.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <limits>

namespace vitrine {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                kInfinity = std::numeric_limits<float>::infinity();

/// Returns a picture of one colour.
Picture Plain(int width, int height, uint8_t level) {
  return {width, height, std::vector<uint8_t>(static_cast<size_t>(width * height * 3), level)};
}

int BrightnessAt(const Picture& picture, int x, int y) {
  const uint8_t* pixel = picture.rgb.data() + 3 * (y * picture.width + x);
  return pixel[0] + pixel[1] + pixel[2];
}

Picture HeatmapOf(const std::vector<float>& map, Grid grid) {
  Picture picture = Plain(8 * grid.width, 8 * grid.height, 128);
  DrawHeatmap(map, grid, 1, &picture);
  return picture;
}

TEST_CASE("A heatmap is dark where the map is zero and light where it is largest") {
  const Picture picture = HeatmapOf({0, 0.5f, 0, 1}, {2, 2});
  CHECK(BrightnessAt(picture, 0, 0) < BrightnessAt(picture, 15, 0));
  CHECK(BrightnessAt(picture, 15, 0) < BrightnessAt(picture, 15, 15));
}

TEST_CASE("NaN and infinity count as zero in a heatmap") {
  const Picture zeros = HeatmapOf({0, 0, 0, 1}, {2, 2});
  for (const float value : {kNan, kInfinity, -kInfinity})
    CHECK(HeatmapOf({value, 0, value, 1}, {2, 2}).rgb == zeros.rgb);
  CHECK(HeatmapOf({kNan, kNan, kNan, kNan}, {2, 2}).rgb == HeatmapOf({0, 0, 0, 0}, {2, 2}).rgb);
}

TEST_CASE("A map of values near zero does not overflow") {
  constexpr float kTiny = std::numeric_limits<float>::denorm_min();
  const Picture picture = HeatmapOf({0, kTiny, 0, kTiny}, {2, 2});
  CHECK(BrightnessAt(picture, 0, 0) < BrightnessAt(picture, 15, 0));
}

TEST_CASE("A heatmap without opacity leaves the picture as it is") {
  Picture picture = Plain(16, 16, 77);
  DrawHeatmap(std::vector<float>{0, 1, 2, 3}, {2, 2}, 0, &picture);
  CHECK(picture.rgb == Plain(16, 16, 77).rgb);
}

TEST_CASE("Patches with equal features have equal colours") {
  const std::vector<float> features = {1, 0, 0, 1, 1, 0, 0, 1};  // four patches with two columns
  const Picture picture = DrawComponents(features, {2, 2}, 4, 4);
  CHECK((picture.width == 8 && picture.height == 8));
  CHECK(BrightnessAt(picture, 0, 0) == BrightnessAt(picture, 0, 7));
  CHECK(BrightnessAt(picture, 0, 0) != BrightnessAt(picture, 7, 0));
}

TEST_CASE("NaN counts as zero in features") {
  CHECK(DrawComponents(std::vector<float>{1, kNan, 0, 1, 1, 0, 0, 1}, {2, 2}, 1, 1).rgb ==
        DrawComponents(std::vector<float>{1, 0, 0, 1, 1, 0, 0, 1}, {2, 2}, 1, 1).rgb);
}

TEST_CASE("An enlarged picture keeps its colours") {
  const Picture large = Enlarge(Plain(3, 2, 200), 4);
  CHECK((large.width == 12 && large.height == 8));
  CHECK(large.rgb == Plain(12, 8, 200).rgb);
}

TEST_CASE("A gray input becomes RGB") {
  CHECK(PictureOfInput(std::vector<uint8_t>{10, 20}, 1, 2, 1).rgb ==
        std::vector<uint8_t>{10, 10, 10, 20, 20, 20});
  CHECK(PictureOfInput(std::vector<uint8_t>{1, 2, 3}, 1, 1, 3).rgb == std::vector<uint8_t>{1, 2, 3});
}

}  // namespace
}  // namespace vitrine
