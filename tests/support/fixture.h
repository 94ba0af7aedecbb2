// SPDX-License-Identifier: Apache-2.0
// Fixtures of whole models: checkpoints saved by the libraries, images, and the libraries' outputs.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "converter/family/json_object.h"
#include "tests/converter/checkpoint/files.h"

namespace vitrine {

/// A folder of tests/fixtures/vit or of the large set.
struct ModelFixture {
  std::string name;
  ConversionInputs inputs;                   ///< with the options that a user must give
  std::vector<std::vector<uint8_t>> images;  ///< (y, x, channel), of the model's input size
  std::vector<std::vector<float>> outputs;   ///< logits, or the embedding; one for each image
  int merged_tokens = 0;                     ///< in each block
};

/// Returns the fixtures of tests/fixtures/vit.
std::vector<ModelFixture> CommittedFixtures();

/// Returns the fixtures of tests/fixtures/merged.
std::vector<ModelFixture> MergedFixtures();

/// Returns the fixtures of the large set, in $VITRINE_SHARED or in shared/ next to the checkout; empty
/// without it.
std::vector<ModelFixture> WideFixtures();

/// The names and shapes of a checkpoint; tests change them to provoke errors.
using Shapes = std::map<std::string, std::vector<int64_t>>;

/// Returns those of a timm ViT with width 8, 2 blocks, patch 4 and 5 classes, for images of 8 x 8.
Shapes TinyTimmShapes();
Shapes ShapesOf(const ConversionInputs& inputs);

/// Writes a safetensors file of zeros with these names and shapes.
std::filesystem::path WriteZeros(const checkpoint::ScratchFolder& folder, const Shapes& shapes);

/// The same with random weights that have a standard deviation of 0.2.
std::filesystem::path WriteRandom(const checkpoint::ScratchFolder& folder, const Shapes& shapes);

/// Returns the error of converting a checkpoint of zeros with these shapes; empty when it succeeds.
std::string RefusalOf(const Shapes& shapes, ConversionInputs inputs = {});
/// Returns the error of converting the checkpoint of `inputs`.
std::string RefusalOf(const ConversionInputs& inputs);

}  // namespace vitrine
