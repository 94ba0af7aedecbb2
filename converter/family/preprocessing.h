// SPDX-License-Identifier: Apache-2.0
// ImageConfig from preprocessor_config.json or timm's pretrained_cfg.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "converter/family/json_object.h"
#include "converter/family/table.h"
#include "converter/vit/vit.h"

namespace vitrine {

/// Returns the size of the preprocessor's output; nullopt when the file does not have it.
std::optional<ImageSize> PreprocessedSize(const JsonObject& preprocessor);

/// Returns the steps from a photo to the model's input of config.image_height x config.image_width: from the
/// options, else from the preprocessor's file, else the family's defaults (`assumed`, with a remark). An
/// input of another size than the preprocessor's keeps its ratio of resize to crop.
ImageConfig MakeImageConfig(const JsonObject& preprocessor, const ImageDefaults& defaults,
                            const ConversionInputs& inputs, const VitConfig& config,
                            std::vector<std::string>* remarks);

}  // namespace vitrine
