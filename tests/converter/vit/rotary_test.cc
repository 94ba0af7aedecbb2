// SPDX-License-Identifier: Apache-2.0
#include "converter/vit/positions.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <numbers>

#include "converter/error.h"

namespace vitrine {
namespace {

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::WithinRel;
using Floats = std::vector<float>;

TEST_CASE("Makes frequencies from a temperature") {
  const Rotary rotary = MakeRotary(100, 8, /*centered=*/false);
  REQUIRE(rotary.frequencies.size() == 2);
  CHECK(rotary.frequencies[0] == 1);
  CHECK_THAT(rotary.frequencies[1], WithinRel(0.1, 1e-12));
  CHECK_THAT(MakeRotary(100, 8, /*centered=*/true).frequencies[0], WithinRel(2 * std::numbers::pi, 1e-12));
}

TEST_CASE("Refuses a head size and a temperature without frequencies") {
  CHECK_THROWS_WITH(MakeRotary(100, 6, true), ContainsSubstring("a multiple of 4, found 6"));
  CHECK_THROWS_WITH(MakeRotary(0, 8, true), ContainsSubstring("expected above 0"));
  CHECK_THROWS_WITH(MakeRotary(INFINITY, 8, true), ContainsSubstring("expected above 0"));
}

TEST_CASE("Reorders pairs of neighbours into halves, except in values") {
  VitConfig config;
  config.heads = 1;
  config.head_size = 4;
  Block block;
  const Floats rows = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  block.qkv = {12, 1, rows, rows};
  block.query_norm.gamma = {0, 1, 2, 3};
  PairByHalves(&block, config);
  const Floats reordered = {0, 2, 1, 3, 4, 6, 5, 7, 8, 9, 10, 11};
  CHECK(block.qkv.weight == reordered);
  CHECK(block.qkv.bias == reordered);
  CHECK(block.query_norm.gamma == Floats{0, 2, 1, 3});
}

TEST_CASE("Computes a patch's cosines, then its sines") {
  VitConfig config;
  config.image_height = config.patch_height = config.patch_width = 1;
  config.image_width = 2;
  config.head_size = 4;
  config.rotary.centered = false;
  config.rotary.frequencies = {1};
  const float c = std::cos(1.0), s = std::sin(1.0);
  CHECK(RotationTable(config) == Floats{1, 1, 0, 0, 1, c, 0, s});
  config.rotary.column_first = true;
  CHECK(RotationTable(config) == Floats{1, 1, 0, 0, c, 1, s, 0});
}

}  // namespace
}  // namespace vitrine
