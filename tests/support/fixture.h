// SPDX-License-Identifier: Apache-2.0
// Fixtures of whole models: checkpoints as libraries save them, an image, and what the library gives for it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "converter/family/inputs.h"
#include "tests/converter/checkpoint/files.h"

namespace vitrine {

/// A folder of tests/fixtures/vit or of the wide set.
struct ModelFixture {
  std::string name;
  ConversionInputs inputs;                   ///< with the flags that a person would have to give
  std::vector<std::vector<uint8_t>> images;  ///< (y, x, channel), of the model's input size
  std::vector<std::vector<float>> outputs;   ///< logits, or the embedding; one for each image
  int merged_tokens = 0;                     ///< a block
};

/// Every folder of tests/fixtures/vit.
std::vector<ModelFixture> CommittedFixtures();

/// Every folder of tests/fixtures/merged.
std::vector<ModelFixture> MergedFixtures();

/// Every folder of the wide set that is no ONNX file; empty where the set is not at hand ($VITRINE_SHARED, or
/// shared/ beside the checkout).
std::vector<ModelFixture> WideFixtures();

/// Names and shapes of a checkpoint; tests change them to see what is refused.
using Shapes = std::map<std::string, std::vector<int64_t>>;

/// Those of a timm ViT of width 8, 2 blocks, patch 4, 5 classes, for images of 8 x 8.
Shapes TinyTimmShapes();
Shapes ShapesOf(const ConversionInputs& inputs);

/// Writes a safetensors file of zeros with these names and shapes.
std::filesystem::path WriteZeros(const checkpoint::ScratchFolder& folder, const Shapes& shapes);

/// The same with random weights, of a deviation of 0.2.
std::filesystem::path WriteRandom(const checkpoint::ScratchFolder& folder, const Shapes& shapes);

/// The line that converting a checkpoint of zeros with these shapes fails with; empty when it does not fail.
std::string RefusalOf(const Shapes& shapes, ConversionInputs inputs = {});
/// The same for the checkpoint that the inputs name.
std::string RefusalOf(const ConversionInputs& inputs);

}  // namespace vitrine
