// SPDX-License-Identifier: Apache-2.0
#include "converter/quantize/quantize.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <limits>

#include "converter/error.h"
#include "runtime/program/program.h"

namespace vitrine {
namespace {

using Catch::Matchers::ContainsSubstring;

std::vector<float> Ramp(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i % 97) / 40 - 1;
  return values;
}

TEST_CASE("Each value of a row is within half a step of the original") {
  const std::vector<float> values = Ramp(4 * 33);
  const QuantizedMatrix m = QuantizeRowsSymmetric("weight", values, 4, 33);
  for (size_t i = 0; i < values.size(); ++i) {
    const float scale = m.scales[i / 33];
    CHECK(std::fabs(static_cast<float>(m.values[i]) * scale - values[i]) <= 0.5001f * scale);
    CHECK(m.values[i] >= -127);
  }
}

TEST_CASE("The largest value of a row is 127 steps") {
  const QuantizedMatrix m =
      QuantizeRowsSymmetric("weight", std::vector<float>{1, -4, 2, 0.5f, 0.25f, 0}, 2, 3);
  CHECK(m.values[1] == -127);
  CHECK(m.values[3] == 127);
}

TEST_CASE("A row of zeros has the scale 1") {
  const QuantizedMatrix m = QuantizeRowsSymmetric("weight", std::vector<float>(6), 2, 3);
  CHECK(m.scales == std::vector<float>{1, 1});
  CHECK(m.values == std::vector<int8_t>(6));
}

TEST_CASE("A value that is not finite is refused with its name and place") {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    std::vector<float> values = Ramp(kInt4Block * 2);
    values[7] = bad;
    CHECK_THROWS_WITH(QuantizeRowsSymmetric("block 1 fc1", values, 2, kInt4Block),
                      ContainsSubstring("block 1 fc1: value 7 of"));
    CHECK_THROWS_WITH(QuantizeBlocks("block 1 fc1", values, 2, kInt4Block), ContainsSubstring("value 7 of"));
  }
}

TEST_CASE("Four bits keep each value within one step of its block") {
  const std::vector<float> values = Ramp(2 * 2 * kInt4Block);
  const Int4Matrix m = QuantizeBlocks("weight", values, 2, 2 * kInt4Block);
  REQUIRE(m.block_scales.size() == 4);
  for (size_t i = 0; i < values.size(); ++i) {
    const float scale = FromBfloat16(m.block_scales[i / kInt4Block]);
    CHECK(m.values[i] <= 15);
    CHECK(std::fabs((static_cast<float>(m.values[i]) - 8) * scale - values[i]) <= 1.5f * scale);
  }
}

TEST_CASE("A bfloat16 is the nearest one") {
  CHECK(FromBfloat16(ToBfloat16(1.0f)) == 1.0f);
  CHECK(std::fabs(FromBfloat16(ToBfloat16(3.14159f)) - 3.14159f) < 0.008f);
  CHECK(FromBfloat16(BlockScale(std::vector<float>(kInt4Block))) == 1.0f);
}

}  // namespace
}  // namespace vitrine
