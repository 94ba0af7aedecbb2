// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/draw/heatmap.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "pages/pages.h"
#include "platforms/linux/cli/failure.h"
#include "platforms/linux/cli/output.h"

namespace vitrine {
namespace {

/// Returns the values with zero for those that are NaN or infinite.
std::vector<float> Finite(std::span<const float> values) {
  std::vector<float> finite(values.begin(), values.end());
  for (float& value : finite) {
    if (!std::isfinite(value)) value = 0;
  }
  return finite;
}

/// Returns the value at (y, x), in patches, interpolated between the centres of the patches.
float Between(std::span<const float> map, Grid grid, float y, float x) {
  const float top = std::clamp(y - 0.5f, 0.0f, static_cast<float>(grid.height - 1));
  const float left = std::clamp(x - 0.5f, 0.0f, static_cast<float>(grid.width - 1));
  const int y0 = static_cast<int>(top), x0 = static_cast<int>(left);
  const int y1 = std::min(y0 + 1, grid.height - 1), x1 = std::min(x0 + 1, grid.width - 1);
  const float down = top - static_cast<float>(y0), across = left - static_cast<float>(x0);
  const auto at = [&](int row, int column) { return map[static_cast<size_t>(row * grid.width + column)]; };
  return (1 - down) * ((1 - across) * at(y0, x0) + across * at(y0, x1)) +
         down * ((1 - across) * at(y1, x0) + across * at(y1, x1));
}

using Color = std::array<float, 3>;  // red, green, blue, 0 to 255

/// Returns a colour from dark for 0 to light for 1. Values outside, and NaN, are clamped.
Color ColorOf(float value) {
  constexpr Color kColors[] = {{10, 8, 48},   {72, 18, 120},  {160, 38, 128},
                               {232, 80, 72}, {252, 164, 56}, {255, 246, 168}};
  constexpr int kSteps = static_cast<int>(std::size(kColors)) - 1;
  const float at = std::min(value > 0 ? value : 0.0f, 1.0f) * kSteps;
  const int below = std::min(static_cast<int>(at), kSteps - 1);
  Color color;
  for (size_t c = 0; c < 3; ++c)
    color[c] = std::lerp(kColors[below][c], kColors[below + 1][c], at - static_cast<float>(below));
  return color;
}

/// Returns the features without the mean of each column.
std::vector<double> Centered(const std::vector<float>& features, size_t rows, size_t columns) {
  std::vector<double> centered(features.begin(), features.end());
  for (size_t c = 0; c < columns; ++c) {
    double mean = 0;
    for (size_t r = 0; r < rows; ++r) mean += centered[r * columns + c];
    mean /= static_cast<double>(rows);
    for (size_t r = 0; r < rows; ++r) centered[r * columns + c] -= mean;
  }
  return centered;
}

/// Scales to length 1; a vector of zeros stays.
void Normalize(std::vector<double>* vector) {
  double sum = 0;
  for (const double x : *vector) sum += x * x;
  const double scale = sum > 0 ? 1 / std::sqrt(sum) : 0;
  for (double& x : *vector) x *= scale;
}

/// Returns the dot product of each row and `direction`.
std::vector<double> Project(const std::vector<double>& rows, const std::vector<double>& direction) {
  std::vector<double> values(rows.size() / direction.size());
  for (size_t r = 0; r < values.size(); ++r) {
    for (size_t c = 0; c < direction.size(); ++c) values[r] += rows[r * direction.size() + c] * direction[c];
  }
  return values;
}

/// Returns the values of the first principal component and removes it from the rows. Power iteration, from the row that
/// is farthest from the mean.
std::vector<double> TakeComponent(std::vector<double>* rows, size_t columns) {
  constexpr int kRounds = 200;
  const size_t count = rows->size() / columns;
  size_t farthest = 0;
  double most = -1;
  for (size_t r = 0; r < count; ++r) {
    double sum = 0;
    for (size_t c = 0; c < columns; ++c) sum += (*rows)[r * columns + c] * (*rows)[r * columns + c];
    if (sum > most) most = sum, farthest = r;
  }
  const auto begin = rows->begin() + static_cast<ptrdiff_t>(farthest * columns);
  std::vector<double> direction(begin, begin + static_cast<ptrdiff_t>(columns));
  Normalize(&direction);
  for (int round = 0; round < kRounds; ++round) {
    const std::vector<double> values = Project(*rows, direction);
    std::fill(direction.begin(), direction.end(), 0.0);
    for (size_t r = 0; r < count; ++r) {
      for (size_t c = 0; c < columns; ++c) direction[c] += values[r] * (*rows)[r * columns + c];
    }
    Normalize(&direction);
  }
  std::vector<double> values = Project(*rows, direction);
  for (size_t r = 0; r < count; ++r) {
    for (size_t c = 0; c < columns; ++c) (*rows)[r * columns + c] -= values[r] * direction[c];
  }
  const auto [least, largest] = std::minmax_element(values.begin(), values.end());
  if (-*least > *largest) {
    for (double& value : values) value = -value;
  }
  return values;
}

/// Returns the values scaled to 0..1, from the smallest to the largest.
std::vector<float> Stretched(const std::vector<double>& values) {
  const auto [least, largest] = std::minmax_element(values.begin(), values.end());
  const double from = *least, scale = *largest > from ? 1 / (*largest - from) : 0;
  std::vector<float> stretched;
  for (const double value : values) stretched.push_back(static_cast<float>((value - from) * scale));
  return stretched;
}

}  // namespace

Picture PictureOfInput(std::span<const uint8_t> input, int height, int width, int channels) {
  Picture picture = {width, height, {}};
  picture.rgb.reserve(input.size() * 3 / static_cast<size_t>(channels));
  for (const uint8_t sample : input) picture.rgb.insert(picture.rgb.end(), channels == 1 ? 3 : 1, sample);
  return picture;
}

Picture Enlarge(const Picture& picture, int times) {
  Picture large = {picture.width * times, picture.height * times, {}};
  large.rgb.resize(picture.rgb.size() * static_cast<size_t>(times * times));
  std::vector<float> plane(picture.rgb.size() / 3);
  for (size_t c = 0; c < 3; ++c) {
    for (size_t i = 0; i < plane.size(); ++i) plane[i] = picture.rgb[3 * i + c];
    const Grid grid = {picture.height, picture.width};
    for (int y = 0; y < large.height; ++y) {
      for (int x = 0; x < large.width; ++x) {
        const float value = Between(plane, grid, (static_cast<float>(y) + 0.5f) / static_cast<float>(times),
                                    (static_cast<float>(x) + 0.5f) / static_cast<float>(times));
        large.rgb[3 * static_cast<size_t>(y * large.width + x) + c] = static_cast<uint8_t>(value + 0.5f);
      }
    }
  }
  return large;
}

void DrawHeatmap(std::span<const float> map, Grid grid, float opacity, Picture* picture) {
  // The brightest colour is that of the 98th percentile: a single patch may have many times the value of all others.
  constexpr size_t kBrightest = 50;  // one patch of 50
  const std::vector<float> finite = Finite(map);
  std::vector<float> sorted = finite;
  const auto bright = sorted.begin() + static_cast<ptrdiff_t>(sorted.size() / kBrightest);
  std::nth_element(sorted.begin(), bright, sorted.end(), std::greater<>());
  const float largest = *bright;
  const float scale = largest > 0 ? 1 / largest : 0;
  const float down = static_cast<float>(grid.height) / static_cast<float>(picture->height);
  const float across = static_cast<float>(grid.width) / static_cast<float>(picture->width);
  uint8_t* pixel = picture->rgb.data();
  for (int y = 0; y < picture->height; ++y) {
    for (int x = 0; x < picture->width; ++x, pixel += 3) {
      const float value = Between(finite, grid, (static_cast<float>(y) + 0.5f) * down,
                                  (static_cast<float>(x) + 0.5f) * across);
      const Color color = ColorOf(value * scale);
      for (size_t c = 0; c < 3; ++c)
        pixel[c] = static_cast<uint8_t>(std::lerp(static_cast<float>(pixel[c]), color[c], opacity) + 0.5f);
    }
  }
}

Picture DrawComponents(std::span<const float> features, Grid grid, int patch_height, int patch_width) {
  const size_t patches = static_cast<size_t>(grid.height) * static_cast<size_t>(grid.width);
  const size_t columns = features.size() / patches;
  std::vector<double> rows = Centered(Finite(features), patches, columns);
  Picture picture = {grid.width * patch_width, grid.height * patch_height, {}};
  picture.rgb.resize(patches * static_cast<size_t>(patch_height * patch_width) * 3);
  for (size_t c = 0; c < 3; ++c) {
    const std::vector<float> values = Stretched(TakeComponent(&rows, columns));
    for (int y = 0; y < picture.height; ++y) {
      for (int x = 0; x < picture.width; ++x) {
        const size_t patch = static_cast<size_t>(y / patch_height * grid.width + x / patch_width);
        picture.rgb[3 * static_cast<size_t>(y * picture.width + x) + c] =
            static_cast<uint8_t>(255 * values[patch] + 0.5f);
      }
    }
  }
  return picture;
}

void WritePng(const Picture& picture, const std::string& path) {
  const std::string png = EncodePng(picture.rgb, picture.width, picture.height);
  if (png.empty()) throw Failure(path + ": not enough memory for the picture");
  WriteWholeFile(png, path);
}

}  // namespace vitrine
