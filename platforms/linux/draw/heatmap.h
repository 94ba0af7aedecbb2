// SPDX-License-Identifier: Apache-2.0
// Pictures of what a model looked at, and of what its patches have in common.
#pragma once

#include <cstdint>
#include <span>
#include <vector>
#include <vitrine/vitrine.hpp>

namespace vitrine {

/// An RGB picture, rows without padding.
struct Picture {
  int width = 0, height = 0;
  std::vector<uint8_t> rgb;  ///< [height, width, 3]
};

/// What the model saw, after resize and crop: the session's input. Gray becomes RGB.
Picture PictureOfInput(std::span<const uint8_t> input, int height, int width, int channels);

/// `picture`, `times` as wide and as high, interpolated.
Picture Enlarge(const Picture& picture, int times);

/// Draws `map`, [grid.height, grid.width], over the picture: dark where it is zero, light in the fiftieth of
/// the patches where it is largest, interpolated between the centres of the patches. `opacity` 0 to 1.
void DrawHeatmap(std::span<const float> map, Grid grid, float opacity, Picture* picture);

/// Colours patches by their features [grid.height * grid.width, columns]: red, green and blue are the first
/// three principal components, each from its smallest value to its largest. The sign of a component is the
/// one that makes its largest value positive. The same features give the same bytes.
Picture DrawComponents(std::span<const float> features, Grid grid, int patch_height, int patch_width);

}  // namespace vitrine
