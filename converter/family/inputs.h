// SPDX-License-Identifier: Apache-2.0
// ConversionInputs: the checkpoint and the options that describe it, as the user gives them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vitrine {

/// Height and width in pixels.
struct ImageSize {
  int height = 0, width = 0;
};

/// The options of vitrine-convert that describe the model. An absent value is read from a file next to the
/// checkpoint (`config.json`, `args.json`, `preprocessor_config.json`), else from the weights' shapes, else
/// from the family's defaults; `Vit::remarks` then has a note.
struct ConversionInputs {
  std::filesystem::path checkpoint;             ///< a file, or a folder from the Hugging Face hub
  std::optional<std::filesystem::path> config;  ///< Hugging Face, timm hub, or timm arguments (JSON)
  std::optional<std::filesystem::path>
      preprocessor;                             ///< preprocessor_config.json or timm pretrained_cfg (JSON)
  std::optional<std::filesystem::path> labels;  ///< one name a line, or JSON {"0": "...", ...} or [...]
  std::optional<std::vector<float>> mean, deviation;  ///< one value a channel, for pixels scaled to 0..1
  std::optional<double> crop_fraction;                ///< timm's crop_pct: input size / resized shortest side
  std::optional<std::string> interpolation;           ///< "bicubic", "bilinear", ...
  std::optional<ImageSize> image_size;                ///< input size; position embeddings are interpolated
  std::optional<int> heads;
  std::optional<std::string> family;  ///< one of FamilyNames()
};

}  // namespace vitrine
