// SPDX-License-Identifier: Apache-2.0
// Converted models with inputs and the outputs that the original library gives, handed from the host's test
// to ARM's.
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

/// Where the host's test leaves them: build/golden in the checkout.
std::filesystem::path GoldenFolder();

/// Writes images and outputs beside `golden.model`.
void WriteGolden(const Golden& golden);

/// Everything in GoldenFolder(); empty before the host's test has run.
std::vector<Golden> ReadGoldens();

/// Runs the model and checks what it gives: 90 dB in f32; in int8 28 dB, and the same top-1 wherever the
/// first two are more than 5 % of the range apart.
void CheckGolden(const Golden& golden);

}  // namespace vitrine
