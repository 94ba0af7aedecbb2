// SPDX-License-Identifier: Apache-2.0
// Position embeddings at another size than they were trained at, as the model's own library resamples them.
#pragma once

#include <span>
#include <vector>

namespace vitrine {

/// Patches along each side of an image.
struct PatchGrid {
  int height = 0, width = 0;
  int cells() const { return height * width; }
  bool operator==(const PatchGrid&) const = default;
};

/// How a library calls torch's `interpolate`. Cell centers are at i + 0.5 (align_corners=False) unless the
/// value says otherwise.
enum class PositionFilter {
  kBicubic,             ///< a = -0.75, four taps (Hugging Face ViT, DeiT, DINOv2, CLIP, SigLIP)
  kBicubicAntialiased,  ///< a = -0.5, the taps widen where the grid shrinks (timm, DINOv2 with registers)
  kBicubicOffset,       ///< as kBicubic with the ratio (new + 0.1) / old (facebookresearch DINO and DINOv2)
  kBicubicAlignedCorners,  ///< as kBicubic with corner cells on corner cells (torchvision)
  kBilinear,               ///< two taps (Hugging Face BEiT's relative position bias)
  kBilinearAntialiased,    ///< triangle that widens where the grid shrinks (SigLIP 2)
};

/// Returns positions [to.height * to.width, width] resampled from [from.height * from.width, width], both
/// row-major. Computed in double; within 1e-6 of torch's f32 for values of the order of 1. The same grid is
/// returned as it is.
std::vector<float> ResizePositions(std::span<const float> positions, PatchGrid from, PatchGrid to, int width,
                                   PositionFilter filter);

}  // namespace vitrine
