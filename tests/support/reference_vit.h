// SPDX-License-Identifier: Apache-2.0
// The canonical ViT in double precision and plain loops: the reference for a model file.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "converter/vit/vit.h"

namespace vitrine {

struct ReferenceOutput {
  std::vector<double> tokens;     ///< [T, D] after the last block, before the last norm
  std::vector<double> embedding;  ///< the input of the classifier, or the image's embedding
  std::vector<double> logits;     ///< [C]; empty without a classifier
};

/// Runs `vit` on pixels [height, width, channels] of the model's input size. With `folded` every part is
/// folded by converter/vit/fold.h first; both results must agree. Slow: 2 L T (4 D^2 + 2 D M) operations of
/// scalar double.
ReferenceOutput RunReference(const Vit& vit, std::span<const uint8_t> pixels, bool folded,
                             float share = 1.0f);

}  // namespace vitrine
