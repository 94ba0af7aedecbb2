// SPDX-License-Identifier: Apache-2.0
// The pictures of the report, as SVG and data URIs: they need nothing from outside.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "converter/convert.h"

namespace vitrine {

/// SQNR at each operator's output, in the order in which they run, a bar each, coloured by its
/// type, with a legend.
std::string PlotOfSqnr(const ConversionSummary& summary);

/// How values are spread, its height logarithmic, so that a few far ones are seen beside many near ones.
std::string PlotOfDistribution(const Distribution& distribution, const std::string& title);

/// "data:image/bmp;base64,...": an image [height, width, channels] u8 of 1 or 3 channels, made smaller until
/// no side has over 128 pixels. Empty for any other number of channels.
std::string PictureOf(std::span<const uint8_t> pixels, int height, int width, int channels);

}  // namespace vitrine
