// SPDX-License-Identifier: Apache-2.0
#include "converter/vit/rotary.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "converter/error.h"

namespace vitrine {
namespace {

/// Returns the coordinate of patch `number` of `count` along a side.
double Coordinate(const Rotary& rotary, int number, int count, int reference) {
  if (rotary.centered) return 2 * (number + 0.5) / count - 1;
  const double stretch = reference > 0 ? static_cast<double>(reference) / count : 1.0;
  return (number + rotary.offset) * stretch;
}

/// Reorders `K` rows of `length` values: the even rows, then the odd rows.
void EvenThenOdd(float* values, size_t K, size_t length) {
  std::vector<float> ordered;
  ordered.reserve(K * length);
  for (const size_t first : {size_t{0}, size_t{1}}) {
    for (size_t row = first; row < K; row += 2) {
      ordered.insert(ordered.end(), values + row * length, values + (row + 1) * length);
    }
  }
  std::copy(ordered.begin(), ordered.end(), values);
}

}  // namespace

Rotary MakeRotary(double temperature, int head_size, bool centered) {
  if (head_size % 4 != 0) {
    Fail("rotary positions need a head size that is a multiple of 4, found ", head_size);
  }
  if (!(temperature > 0) || !std::isfinite(temperature)) {
    Fail("the base of the rotary positions is ", temperature, ", expected above 0");
  }
  Rotary rotary;
  rotary.centered = centered;
  for (int i = 0; i < head_size / 4; ++i) {
    rotary.frequencies.push_back((centered ? 2 * std::numbers::pi : 1.0) *
                                 std::pow(temperature, -4.0 * i / head_size));
  }
  return rotary;
}

void PairByHalves(Block* block, const VitConfig& config) {
  const size_t K = static_cast<size_t>(config.head_size), inputs = static_cast<size_t>(block->qkv.inputs);
  for (size_t head = 0; head < 2 * static_cast<size_t>(config.heads); ++head) {
    if (!block->qkv.weight.empty()) EvenThenOdd(&block->qkv.weight[head * K * inputs], K, inputs);
    if (!block->qkv.bias.empty()) EvenThenOdd(&block->qkv.bias[head * K], K, 1);
  }
  for (std::vector<float>* affine :
       {&block->query_norm.gamma, &block->query_norm.beta, &block->key_norm.gamma, &block->key_norm.beta}) {
    if (!affine->empty()) EvenThenOdd(affine->data(), K, 1);
  }
}

std::vector<float> RotationTable(const VitConfig& config) {
  const Rotary& rotary = config.rotary;
  const int rows = config.image_height / config.patch_height,
            columns = config.image_width / config.patch_width;
  std::vector<float> table;
  table.reserve(static_cast<size_t>(rows) * columns * config.head_size);
  for (int patch = 0; patch < rows * columns; ++patch) {
    std::vector<double> angles;
    double coordinates[] = {Coordinate(rotary, patch / columns, rows, rotary.reference_height),
                            Coordinate(rotary, patch % columns, columns, rotary.reference_width)};
    if (rotary.column_first) std::swap(coordinates[0], coordinates[1]);
    for (const double at : coordinates) {
      for (const double frequency : rotary.frequencies) angles.push_back(at * frequency);
    }
    for (const double angle : angles) table.push_back(static_cast<float>(std::cos(angle)));
    for (const double angle : angles) table.push_back(static_cast<float>(std::sin(angle)));
  }
  return table;
}

}  // namespace vitrine
