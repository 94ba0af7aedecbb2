// SPDX-License-Identifier: Apache-2.0
#include "converter/vit/positions.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "tests/converter/checkpoint/files.h"

namespace vitrine {
namespace {

constexpr PositionFilter kFilters[] = {PositionFilter::kBicubic, PositionFilter::kBicubicAntialiased,
                                       PositionFilter::kBicubicOffset, PositionFilter::kBicubicAlignedCorners,
                                       PositionFilter::kBilinearAntialiased};

double LargestError(const std::vector<float>& found, const std::vector<float>& expected) {
  if (found.size() != expected.size()) return INFINITY;
  double largest = 0;
  for (size_t i = 0; i < found.size(); ++i)
    largest = std::max<double>(largest, std::abs(found[i] - expected[i]));
  return largest;
}

/// torch 2: interpolate(arange(12).reshape(1, 1, 3, 4) ** 2, size=..., ...).
TEST_CASE("Resamples as torch does") {
  std::vector<float> squares;
  for (int i = 0; i < 12; ++i) squares.push_back(static_cast<float>(i * i));
  const struct {
    PositionFilter filter;
    PatchGrid to;
    std::vector<float> expected;
  } cases[] = {
      {PositionFilter::kBicubic, {2, 2}, {2.7783203f, 12.69043f, 59.78418f, 97.99707f}},
      {PositionFilter::kBicubic,
       {4, 6},
       {-1.1853977f, -1.1629639f, -0.41438802f, 0.9781901f, 4.1434326f, 6.5130887f, 4.5062256f, 6.9014893f,
        11.532371f,  15.687681f,  22.735229f,   27.477715f, 33.946899f, 40.051636f, 50.751772f, 59.226092f,
        72.342896f,  80.794854f,  65.919773f,   74.397339f, 88.979782f, 100.21683f, 117.21594f, 128.04073f}},
      {PositionFilter::kBicubicAntialiased, {2, 2}, {5.730085f, 15.735962f, 56.383415f, 86.559357f}},
      {PositionFilter::kBicubicAntialiased,
       {4, 6},
       {-0.87411626f, -0.71378402f, 0.037728027f, 1.7591211f, 4.9060579f, 7.211901f,
        6.3016961f,   8.7880372f,   13.216428f,   18.184934f, 25.008749f, 29.640601f,
        34.212877f,   40.087217f,   49.871245f,   59.569405f, 71.748858f, 79.768709f,
        65.361548f,   73.561896f,   87.022803f,   99.968076f, 115.82441f, 126.17027f}},
      {PositionFilter::kBilinearAntialiased, {2, 2}, {9.1428571f, 18.571429f, 56.285714f, 81.428571f}},
      {PositionFilter::kBilinearAntialiased,
       {4, 6},
       {0,  0.5f, 1.5f,       3.5f,       6.5f, 9,  10, 13,    17.333333f, 22.666667f, 29,     34,
        34, 40,   48.333333f, 57.666667f, 68,   76, 64, 72.5f, 84.166667f, 96.833333f, 110.5f, 121}},
      {PositionFilter::kBicubicAlignedCorners, {2, 2}, {0, 9, 64, 121}},
      {PositionFilter::kBicubicAlignedCorners,
       {4, 6},
       {0,          0.288f,     1.504f,     3.016f,     6.264f,     9,          5.6296296f, 8.2322963f,
        12.865185f, 16.691852f, 23.356741f, 28.407407f, 32.888889f, 38.926222f, 48.629333f, 55.890667f,
        67.625778f, 76.111111f, 64,         72.352f,    85.472f,    95.048f,    110.2f,     121}},
      {PositionFilter::kBicubicOffset, {2, 2}, {2.4123387f, 10.980797f, 53.811837f, 88.410687f}},
      {PositionFilter::kBicubicOffset,
       {4, 6},
       {-1.2419276f, -1.2329403f, -0.5525406f, 0.73561116f, 3.7860135f, 6.2633787f, 4.1319052f, 6.3538611f,
        10.687994f,  14.581195f,  21.32265f,   26.18665f,   31.582826f, 37.333608f, 47.494028f, 55.541271f,
        68.168522f,  76.838278f,  64.402887f,  72.527232f,  86.606536f, 97.447875f, 114.03404f, 125.26363f}},
  };
  for (const auto& [filter, to, expected] : cases) {
    INFO(static_cast<int>(filter) << " to " << to.height << "x" << to.width);
    CHECK(LargestError(ResizePositions(squares, {3, 4}, to, 1, filter), expected) < 2e-5);
  }
}

TEST_CASE("Returns equal grids unchanged") {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  for (const PositionFilter filter : kFilters)
    CHECK(ResizePositions(values, {2, 3}, {2, 3}, 2, filter) == values);
}

TEST_CASE("Keeps a constant table constant") {
  const std::vector<float> ones(7 * 5 * 2, 1.0f);
  for (const PositionFilter filter : kFilters) {
    for (const PatchGrid to : {PatchGrid{1, 1}, PatchGrid{3, 9}, PatchGrid{14, 2}, PatchGrid{16, 16}}) {
      const std::vector<float> found = ResizePositions(ones, {7, 5}, to, 2, filter);
      CHECK(LargestError(found, std::vector<float>(static_cast<size_t>(to.cells()) * 2, 1.0f)) < 1e-6);
    }
  }
}

TEST_CASE("Resamples each column of the embedding separately") {
  std::vector<float> both, first, second;
  for (int i = 0; i < 9; ++i) {
    first.push_back(std::sin(i * 1.3f));
    second.push_back(std::cos(i * 0.7f));
    both.insert(both.end(), {first.back(), second.back()});
  }
  for (const PositionFilter filter : kFilters) {
    const std::vector<float> together = ResizePositions(both, {3, 3}, {4, 5}, 2, filter);
    const std::vector<float> alone = ResizePositions(first, {3, 3}, {4, 5}, 1, filter);
    for (size_t i = 0; i < alone.size(); ++i) CHECK(together[2 * i] == alone[i]);
  }
}

TEST_CASE("Finds the grid of a relative position bias") {
  CHECK(PositionBiasRows({2, 3}) == 3 * 5 + 3);
  CHECK(PositionBiasGrid(18, {2, 3}, "table") == PatchGrid{2, 3});
  CHECK(PositionBiasGrid(12, {2, 3}, "table") == PatchGrid{2, 2});
  CHECK_THROWS_WITH(PositionBiasGrid(13, {}, "table"),
                    "table: 13 rows do not fit a grid of patches and a class token");
}

TEST_CASE("Resamples a relative position bias without the class token's rows") {
  std::vector<float> table(12 * 2, 1.0f);
  table[22] = 7;
  CHECK(ResizePositionBias(table, {2, 2}, {2, 2}, 2) == table);
  const std::vector<float> resized = ResizePositionBias(table, {2, 2}, {3, 2}, 2);
  REQUIRE(resized.size() == static_cast<size_t>(PositionBiasRows({3, 2})) * 2);
  CHECK(resized[0] == 1);
  CHECK(resized[resized.size() - 2] == 7);
}

TEST_CASE("Matches timm's resampled table within a millionth") {
  const char* shared = std::getenv("VITRINE_SHARED");
  const std::filesystem::path root =
      std::filesystem::path(shared ? shared : VITRINE_SOURCE_DIR "/../shared") / "fixtures";
  if (!std::filesystem::exists(root)) SKIP("the wide set of fixtures is not available");
  const struct {
    const char* name;
    int prefix;
    PatchGrid from, to;
  } cases[] = {{"timm_vit_res_down", 1, {7, 7}, {4, 4}},
               {"timm_vit_res_up", 1, {4, 4}, {6, 8}},
               {"timm_dinov2_reg4_res", 0, {9, 9}, {4, 5}}};
  for (const auto& [name, prefix, from, to] : cases) {
    INFO(name);
    const auto checkpoint = checkpoint::Checkpoint::Open(root / name / "model.safetensors");
    const checkpoint::Tensor& table = checkpoint.tensors().at("pos_embed");
    const int width = static_cast<int>(table.shape.back());
    std::vector<float> stored(static_cast<size_t>(table.elements()));
    checkpoint::ReadF32(table, stored);
    const std::string bytes = checkpoint::ReadBytes(root / name / "pos_embed_resampled.bin");
    std::vector<float> expected(bytes.size() / sizeof(float));
    std::memcpy(expected.data(), bytes.data(), bytes.size());
    stored.erase(stored.begin(), stored.begin() + prefix * width);
    expected.erase(expected.begin(), expected.begin() + prefix * width);
    CHECK(LargestError(ResizePositions(stored, from, to, width, PositionFilter::kBicubicAntialiased),
                       expected) < 1e-6);
  }
}

}  // namespace
}  // namespace vitrine
