// SPDX-License-Identifier: Apache-2.0
#include "converter/quantize/quantize.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <random>

#include "converter/error.h"
#include "converter/quantize/matrix.h"
#include "runtime/program/program.h"

namespace vitrine {
namespace {

constexpr size_t kRows = 48, kColumns = 160;

struct LinearLayer {
  std::vector<float> weight, gram;

  /// Similar inputs: a few directions and some noise.
  LinearLayer() : weight(kRows * kColumns) {
    std::mt19937 generator(1);
    std::normal_distribution<float> normal;
    for (float& value : weight) value = normal(generator);
    constexpr size_t kDirections = 12, kSamples = 500;
    std::vector<float> directions(kDirections * kColumns), x(kSamples * kColumns);
    for (float& value : directions) value = normal(generator);
    for (size_t s = 0; s < kSamples; ++s) {
      for (size_t c = 0; c < kColumns; ++c) x[s * kColumns + c] = 0.1f * normal(generator);
      for (size_t d = 0; d < kDirections; ++d) {
        const float share = normal(generator);
        for (size_t c = 0; c < kColumns; ++c) x[s * kColumns + c] += share * directions[d * kColumns + c];
      }
    }
    gram = Gram({x.data(), kSamples, kColumns, kColumns}, 1);
  }

  /// The squared error of the outputs: d X^T X d^T for each row's difference d.
  double Loss(const std::vector<float>& rounded) const {
    double loss = 0;
    for (size_t r = 0; r < kRows; ++r) {
      for (size_t i = 0; i < kColumns; ++i) {
        double sum = 0;
        for (size_t j = 0; j < kColumns; ++j)
          sum +=
              double{gram[i * kColumns + j]} * double{rounded[r * kColumns + j] - weight[r * kColumns + j]};
        loss += sum * double{rounded[r * kColumns + i] - weight[r * kColumns + i]};
      }
    }
    return loss;
  }
};

std::vector<float> Values(const Int4Matrix& m) {
  std::vector<float> values;
  for (size_t i = 0; i < m.values.size(); ++i)
    values.push_back((static_cast<float>(m.values[i]) - 8) * FromBfloat16(m.block_scales[i / kInt4Block]));
  return values;
}

std::vector<float> Values(const QuantizedMatrix& m) {
  std::vector<float> values;
  for (size_t i = 0; i < m.values.size(); ++i)
    values.push_back(static_cast<float>(m.values[i]) * m.scales[i / m.columns]);
  return values;
}

TEST_CASE("Rounding for inputs that are alike loses a fraction of the outputs") {
  const LinearLayer layer;
  const double int4 = layer.Loss(Values(QuantizeBlocks("w", layer.weight, kRows, kColumns)));
  CHECK(layer.Loss(Values(QuantizeBlocksFor(layer.gram, "w", layer.weight, kRows, kColumns))) < int4 / 5);
  const double int8 = layer.Loss(Values(QuantizeRowsSymmetric("w", layer.weight, kRows, kColumns)));
  CHECK(layer.Loss(Values(QuantizeRowsFor(layer.gram, "w", layer.weight, kRows, kColumns))) < int8 / 5);
}

TEST_CASE("Without inputs weights are rounded to the nearest") {
  const LinearLayer layer;
  const Int4Matrix nearest = QuantizeBlocks("w", layer.weight, kRows, kColumns);
  for (const float nothing : {0.0f, NAN}) {
    const std::vector<float> gram(kColumns * kColumns, nothing);
    CHECK(QuantizeBlocksFor(gram, "w", layer.weight, kRows, kColumns).values == nearest.values);
  }
}

TEST_CASE("A block's scale suits its values") {
  std::vector<float> block(kInt4Block, 0.0f);
  CHECK(FromBfloat16(BlockScale(block)) == 1.0f);
  block[3] = -7;
  block[4] = 2;
  const float scale = FromBfloat16(BlockScale(block));
  CHECK(std::fabs((static_cast<float>(RoundInt4(-7, scale)) - 8) * scale + 7) < 0.2f);
  CHECK(std::fabs((static_cast<float>(RoundInt4(2, scale)) - 8) * scale - 2) < 0.5f * scale);
}

TEST_CASE("A weight that is not a number is refused by name") {
  std::vector<float> weight(kInt4Block, 1.0f);
  weight[7] = NAN;
  CHECK_THROWS_WITH(QuantizeBlocks("block 1 fc1 weight", weight, 1, kInt4Block),
                    Catch::Matchers::ContainsSubstring("block 1 fc1 weight: value 7"));
}

}  // namespace
}  // namespace vitrine
