// SPDX-License-Identifier: Apache-2.0
// A small canonical ViT with random weights, for tests of the converter's stages.
#pragma once

#include "converter/vit/vit.h"

namespace vitrine::testing {

/// Returns the configuration of a ViT with 2 blocks, width 32, 2 heads, an MLP of 64, and 3 classes, for images of
/// 8 x 8 x 3 in patches of 2 x 2: 17 tokens, the first the class token.
VitConfig SmallConfig();

/// Returns a ViT with random weights for a configuration based on SmallConfig(). The same configuration gives
/// the same weights. Norms have a gamma near 1. `inner_norms` adds an attention norm and an MLP norm.
Vit SmallVit(const VitConfig& config, bool inner_norms = false);

}  // namespace vitrine::testing
