// SPDX-License-Identifier: Apache-2.0
// Pictures of where a model looked and of what its patches have in common.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>
#include <vitrine/vitrine.hpp>

namespace vitrine {

/// An RGB picture, rows without padding.
struct Picture {
  int width = 0, height = 0;
  std::vector<uint8_t> rgb;  ///< [height, width, 3]
};

/// Returns the session's input, [height, width, channels], as a picture: what the model sees after resize and crop.
/// Gray becomes RGB.
Picture PictureOfInput(std::span<const uint8_t> input, int height, int width, int channels);

/// Returns `picture` interpolated to `times` its width and height.
Picture Enlarge(const Picture& picture, int times);

/// Draws `map`, [grid.height, grid.width], over the picture: dark for zero, light for the largest fiftieth of the
/// patches, interpolated between the centres of the patches. NaN counts as zero. `opacity` 0 to 1.
void DrawHeatmap(std::span<const float> map, Grid grid, float opacity, Picture* picture);

/// Returns a picture whose patches are coloured by their features [grid.height * grid.width, columns]: red, green and
/// blue are the first three principal components, each from its smallest to its largest value. The sign of a component
/// makes its largest magnitude positive. The same features give the same bytes. NaN is drawn as zero.
Picture DrawComponents(std::span<const float> features, Grid grid, int patch_height, int patch_width);

/// Writes a PNG file, whole or not at all. Throws Failure when it cannot be written.
void WritePng(const Picture& picture, const std::string& path);

}  // namespace vitrine
