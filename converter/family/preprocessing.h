// SPDX-License-Identifier: Apache-2.0
// From preprocessor_config.json or timm's pretrained_cfg to an ImageConfig.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "converter/family/inputs.h"
#include "converter/family/json_object.h"
#include "converter/family/table.h"
#include "converter/vit/vit.h"

namespace vitrine {

/// The size of what the preprocessor hands to the model; nothing when it does not say.
std::optional<ImageSize> PreprocessedSize(const JsonObject& preprocessor);

/// Returns the steps from a photo to the model's input of config.image_height x config.image_width: what the
/// person asked for, else what the preprocessor says, else the family's defaults (`assumed`, with a remark).
/// An input of another size than the preprocessor's keeps its ratio of resize to crop.
ImageConfig MakeImageConfig(const JsonObject& preprocessor, const ImageDefaults& defaults,
                            const ConversionInputs& inputs, const VitConfig& config,
                            std::vector<std::string>* remarks);

}  // namespace vitrine
