// SPDX-License-Identifier: Apache-2.0
// Position embeddings and relative position biases at another size than they were trained at, resampled as
// the model's own library does.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "converter/vit/vit.h"

namespace vitrine {

/// Patches along each side of an image.
struct PatchGrid {
  int height = 0, width = 0;
  int cells() const { return height * width; }
  bool operator==(const PatchGrid&) const = default;
};

/// How a library calls torch's `interpolate`. Cell centers are at i + 0.5 (align_corners=False) except in
/// kBicubicAlignedCorners.
enum class PositionFilter {
  kBicubic,             ///< a = -0.75, four taps (Hugging Face ViT, DeiT, DINOv2, CLIP, SigLIP)
  kBicubicAntialiased,  ///< a = -0.5, the taps widen where the grid shrinks (timm, DINOv2 with registers)
  kBicubicOffset,       ///< as kBicubic with the ratio (new + 0.1) / old (facebookresearch DINO and DINOv2)
  kBicubicAlignedCorners,  ///< as kBicubic with corner cells on corner cells (torchvision)
  kBilinear,               ///< two taps (Hugging Face BEiT's relative position bias)
  kBilinearAntialiased,    ///< triangle that widens where the grid shrinks (SigLIP 2)
};

/// Returns positions [to.height * to.width, width] resampled from [from.height * from.width, width], both
/// row-major. Computed in double; within 1e-6 of torch's f32 for values of about 1. If the grids are equal,
/// returns the positions unchanged.
std::vector<float> ResizePositions(std::span<const float> positions, PatchGrid from, PatchGrid to, int width,
                                   PositionFilter filter);

/// A relative position bias (BEiT, data2vec) is a table by the distance of two patches; attention adds it to
/// its scores. Returns the rows of a grid's table: the distances of two patches, then class token to patch,
/// patch to class token, class token to itself.
int PositionBiasRows(PatchGrid grid);

/// Returns the grid whose table has `rows` rows: `hint` if it fits, else a square. Error that begins with
/// `name` when neither fits.
PatchGrid PositionBiasGrid(int rows, PatchGrid hint, const std::string& name);

/// Returns the table [rows of `to`, heads] resampled from [rows of `from`, heads], as transformers does.
std::vector<float> ResizePositionBias(std::span<const float> table, PatchGrid from, PatchGrid to, int heads);

/// Returns rotary positions with the frequencies temperature^(-4 i / K), i < K / 4; times 2 pi if `centered`,
/// whose coordinates run from -1 to 1. Error when K is not a multiple of 4, or the temperature not above 0.
Rotary MakeRotary(double temperature, int head_size, bool centered);

/// Reorders the values of each query and key, and of their norms, so that the rotated pairs (2 i, 2 i + 1)
/// become (i, i + K / 2). Attention gives the same result: queries and keys change alike.
void PairByHalves(Block* block, const VitConfig& config);

/// Returns [patches, K]: for each patch, row by row, the cosines of its K / 2 angles, then their sines.
/// Computed in double.
std::vector<float> RotationTable(const VitConfig& config);

}  // namespace vitrine
