// SPDX-License-Identifier: Apache-2.0
// What the person who converts gives: the checkpoint, the files beside it, and what only they can tell.
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

/// The command line of vitrine-convert as far as it says what the model is. What is absent is looked for
/// beside the checkpoint (`config.json`, `args.json`, `preprocessor_config.json`), then taken from the
/// weights' shapes, then from the family's defaults, which is said in `Vit::remarks`.
struct ConversionInputs {
  std::filesystem::path checkpoint;             ///< a file, or a folder as the Hugging Face hub lays it out
  std::optional<std::filesystem::path> config;  ///< Hugging Face, timm hub, or timm arguments (JSON)
  std::optional<std::filesystem::path>
      preprocessor;                             ///< preprocessor_config.json or timm pretrained_cfg (JSON)
  std::optional<std::filesystem::path> labels;  ///< one name a line, or JSON {"0": "...", ...} or [...]
  std::optional<std::vector<float>> mean, deviation;  ///< one value a channel, of pixels scaled to 0..1
  std::optional<double> crop_fraction;                ///< timm's crop_pct: input size / resized shortest side
  std::optional<std::string> interpolation;           ///< "bicubic", "bilinear", ...
  std::optional<ImageSize> image_size;                ///< input size; position embeddings are interpolated
  std::optional<int> heads;
  std::optional<std::string> family;  ///< one of FamilyNames()
};

}  // namespace vitrine
