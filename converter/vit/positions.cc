// SPDX-License-Identifier: Apache-2.0
#include "converter/vit/positions.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "converter/error.h"

namespace vitrine {
namespace {

/// The cubic convolution kernel (Keys 1981) with its free parameter `a`.
double Cubic(double x, double a) {
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

double Triangle(double x) { return std::max(0.0, 1 - std::abs(x)); }

/// One axis of a separable resampling: matrix [outputs, inputs], rows sum to one.
struct Axis {
  int outputs, inputs;
  std::vector<double> weights;
  double& at(int output, int input) { return weights[static_cast<size_t>(output) * inputs + input]; }
};

/// Four taps around `center`. Taps outside read the border cell (torch's upsample_bicubic2d).
void FourTaps(Axis& axis, int output, double center) {
  const double first = std::floor(center) - 1;
  for (int tap = 0; tap < 4; ++tap) {
    const double position = first + tap;
    const int input = static_cast<int>(std::clamp(position, 0.0, axis.inputs - 1.0));
    axis.at(output, input) += Cubic(center - position, -0.75);
  }
}

/// The two cells around `center`. Taps outside read the border cell (torch's upsample_bilinear2d).
void TwoTaps(Axis& axis, int output, double center) {
  center = std::max(center, 0.0);
  const int first = std::min(static_cast<int>(center), axis.inputs - 1),
            next = std::min(first + 1, axis.inputs - 1);
  axis.at(output, first) += 1 - (center - first);
  axis.at(output, next) += center - first;
}

/// All cells under a filter with a radius of `support` cells, times `scale` if that is above one. Taps
/// outside are left out and the rest normalised (torch's _upsample_bicubic2d_aa).
void WideTaps(Axis& axis, int output, double scale, double support, bool cubic) {
  const double stretch = std::max(scale, 1.0), center = scale * (output + 0.5);
  const int first = std::max(0, static_cast<int>(center - support * stretch + 0.5));
  const int end = std::min(axis.inputs, static_cast<int>(center + support * stretch + 0.5));
  double sum = 0;
  for (int input = first; input < end; ++input) {
    const double x = (input - center + 0.5) / stretch;
    sum += axis.at(output, input) = cubic ? Cubic(x, -0.5) : Triangle(x);
  }
  for (int input = first; input < end; ++input) axis.at(output, input) /= sum;
}

Axis MakeAxis(int inputs, int outputs, PositionFilter filter) {
  Axis axis{outputs, inputs, std::vector<double>(static_cast<size_t>(outputs) * inputs)};
  const double scale = static_cast<double>(inputs) / outputs;
  for (int output = 0; output < outputs; ++output) {
    switch (filter) {
      case PositionFilter::kBicubic:
        FourTaps(axis, output, scale * (output + 0.5) - 0.5);
        break;
      case PositionFilter::kBicubicOffset:
        FourTaps(axis, output, inputs / (outputs + 0.1) * (output + 0.5) - 0.5);
        break;
      case PositionFilter::kBicubicAlignedCorners:
        FourTaps(axis, output, outputs > 1 ? (inputs - 1.0) / (outputs - 1.0) * output : 0.0);
        break;
      case PositionFilter::kBicubicAntialiased:
        WideTaps(axis, output, scale, 2, /*cubic=*/true);
        break;
      case PositionFilter::kBilinear:
        TwoTaps(axis, output, scale * (output + 0.5) - 0.5);
        break;
      case PositionFilter::kBilinearAntialiased:
        WideTaps(axis, output, scale, 1, /*cubic=*/false);
        break;
    }
  }
  return axis;
}

constexpr int kClassRows = 3;  ///< class to patch, patch to class, class to class

/// Each side has as many distances as cells but one, in both directions.
PatchGrid Distances(PatchGrid grid) { return {2 * grid.height - 1, 2 * grid.width - 1}; }

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

std::vector<float> ResizePositions(std::span<const float> positions, PatchGrid from, PatchGrid to, int width,
                                   PositionFilter filter) {
  if (from == to) return {positions.begin(), positions.end()};
  Axis vertical = MakeAxis(from.height, to.height, filter),
       horizontal = MakeAxis(from.width, to.width, filter);
  std::vector<float> resized(static_cast<size_t>(to.cells()) * width);
  std::vector<double> row(static_cast<size_t>(from.width) * width), cell(width);
  for (int y = 0; y < to.height; ++y) {
    std::fill(row.begin(), row.end(), 0.0);
    for (int source = 0; source < from.height; ++source) {
      const double weight = vertical.at(y, source);
      if (weight == 0) continue;
      const float* values = &positions[static_cast<size_t>(source) * row.size()];
      for (size_t i = 0; i < row.size(); ++i) row[i] += weight * values[i];
    }
    for (int x = 0; x < to.width; ++x) {
      std::fill(cell.begin(), cell.end(), 0.0);
      for (int source = 0; source < from.width; ++source) {
        const double weight = horizontal.at(x, source);
        if (weight == 0) continue;
        const double* values = &row[static_cast<size_t>(source) * width];
        for (int i = 0; i < width; ++i) cell[i] += weight * values[i];
      }
      std::copy(cell.begin(), cell.end(), &resized[(static_cast<size_t>(y) * to.width + x) * width]);
    }
  }
  return resized;
}

int PositionBiasRows(PatchGrid grid) { return Distances(grid).cells() + kClassRows; }

PatchGrid PositionBiasGrid(int rows, PatchGrid hint, const std::string& name) {
  if (hint.cells() > 0 && PositionBiasRows(hint) == rows) return hint;
  const int side = (static_cast<int>(std::lround(std::sqrt(std::max(0, rows - kClassRows)))) + 1) / 2;
  if (side < 1 || PositionBiasRows({side, side}) != rows) {
    Fail(name, ": ", rows, " rows do not fit a grid of patches and a class token");
  }
  return {side, side};
}

std::vector<float> ResizePositionBias(std::span<const float> table, PatchGrid from, PatchGrid to, int heads) {
  const size_t distances = static_cast<size_t>(Distances(from).cells()) * heads;
  // transformers confuses the stored table's height and width; the result must be the same.
  const PatchGrid swapped{Distances(from).width, Distances(from).height};
  std::vector<float> resized =
      ResizePositions(table.first(distances), swapped, Distances(to), heads, PositionFilter::kBilinear);
  resized.insert(resized.end(), table.begin() + static_cast<ptrdiff_t>(distances), table.end());
  return resized;
}

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
