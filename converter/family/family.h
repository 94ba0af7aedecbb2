// SPDX-License-Identifier: Apache-2.0
// From a checkpoint and its configuration to the canonical ViT.
#pragma once

#include <string>
#include <vector>

#include "converter/checkpoint/checkpoint.h"
#include "converter/family/inputs.h"
#include "converter/vit/vit.h"

namespace vitrine {

/// Opens a checkpoint of any family: Checkpoint::Open with the names that the families' tables have.
checkpoint::Checkpoint OpenCheckpoint(const std::filesystem::path& file_or_folder);

/// Returns the checkpoint as a canonical ViT, whatever family it is of. Reads configuration, preprocessor and
/// label files now, weights only when the Vit's load functions are called; every tensor's name and shape is
/// checked now. Throws Error with one line when the model is of no known family, when a tensor is missing,
/// extra or has another shape, or when the configuration contradicts the weights. `checkpoint` must outlive
/// the Vit.
Vit MakeVit(const checkpoint::Checkpoint& checkpoint, const ConversionInputs& inputs);

/// The names that `ConversionInputs::family` may have, for help texts.
std::vector<std::string> FamilyNames();

}  // namespace vitrine
