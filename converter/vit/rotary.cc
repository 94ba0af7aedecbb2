// SPDX-License-Identifier: Apache-2.0
#include "converter/vit/rotary.h"

#include <cmath>
#include <utility>

namespace vitrine {
namespace {

/// The coordinate of the `number`th patch of `count` along a side.
double Coordinate(const Rotary& rotary, int number, int count, int reference) {
  if (rotary.centered) return 2 * (number + 0.5) / count - 1;
  const double stretch = reference > 0 ? static_cast<double>(reference) / count : 1.0;
  return (number + rotary.offset) * stretch;
}

}  // namespace

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
