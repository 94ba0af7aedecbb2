// SPDX-License-Identifier: Apache-2.0
// Converted models with inputs and the outputs of the original library. The host's test writes them for the
// tests on ARM.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vitrine {

/// One model in one recipe.
struct Golden {
  std::string name, recipe;
  std::filesystem::path model;
  std::vector<std::vector<uint8_t>> images;  ///< RGB, of the model's input size
  std::vector<std::vector<float>> outputs;   ///< logits, or the embedding
};

/// Returns the folder that the host's test writes to: build/golden in the checkout.
std::filesystem::path GoldenFolder();

/// Writes images and outputs next to `golden.model`.
void WriteGolden(const Golden& golden);

/// Returns everything in GoldenFolder(); empty before the host's test has run.
std::vector<Golden> ReadGoldens();

/// Runs the model and checks its outputs: 90 dB in f32; in int8 28 dB, and the same top-1 if the first two
/// scores differ by more than 5 % of the range.
void CheckGolden(const Golden& golden);

}  // namespace vitrine
