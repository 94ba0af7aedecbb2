// SPDX-License-Identifier: Apache-2.0
// From a checkpoint and its configuration to the canonical ViT.
#pragma once

#include <string>
#include <vector>

#include "converter/checkpoint/checkpoint.h"
#include "converter/family/json_object.h"
#include "converter/vit/vit.h"

namespace vitrine {

/// Opens a checkpoint of any family. As Checkpoint::Open, with the names in the families' tables.
checkpoint::Checkpoint OpenCheckpoint(const std::filesystem::path& file_or_folder);

/// Returns the checkpoint as a canonical ViT. Reads the configuration, preprocessor and label files and
/// checks every tensor's name and shape; the Vit's load functions read the weights. Throws an Error with one
/// line when the family is unknown, when a tensor is missing, extra or has another shape, or when the
/// configuration contradicts the weights. `checkpoint` must outlive the Vit.
Vit MakeVit(const checkpoint::Checkpoint& checkpoint, const ConversionInputs& inputs);

/// Returns the values that `ConversionInputs::family` may have, for help texts.
std::vector<std::string> FamilyNames();

}  // namespace vitrine
