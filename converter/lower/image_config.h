// SPDX-License-Identifier: Apache-2.0
// How a photo becomes the model's input: for the runtime's preprocessor, and for the file.
#pragma once

#include <memory>

#include "converter/vit/vit.h"
#include "runtime/image/preprocess.h"
#include "runtime/schema/vitrine_generated.h"

namespace vitrine {

Preprocess PreprocessOf(const VitConfig& config, const ImageConfig& image);

std::unique_ptr<schema::ImageInputT> ImageInputOf(const VitConfig& config, const ImageConfig& image);

/// "shortest side 256, bicubic, crop 224x224", for people.
std::string Describe(const VitConfig& config, const ImageConfig& image);

}  // namespace vitrine
