// SPDX-License-Identifier: Apache-2.0
// Preprocessing from the canonical ViT's form to that of the runtime and that of the file.
#pragma once

#include <memory>

#include "converter/vit/vit.h"
#include "runtime/image/preprocess.h"
#include "runtime/schema/vitrine_generated.h"

namespace vitrine {

/// Returns the preprocessing for the runtime's Preprocessor.
Preprocess PreprocessOf(const VitConfig& config, const ImageConfig& image);

/// Returns the preprocessing for the file.
std::unique_ptr<schema::ImageInputT> ImageInputOf(const VitConfig& config, const ImageConfig& image);

}  // namespace vitrine
