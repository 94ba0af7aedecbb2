// SPDX-License-Identifier: Apache-2.0
// Models that people mistake for a plain ViT, by name.
#pragma once

#include <string>

#include "converter/checkpoint/checkpoint.h"
#include "converter/family/configuration.h"

namespace vitrine {

/// Throws Error when the checkpoint is of a kind that is known and not supported: "this is a Swin
/// Transformer: its windowed attention is not supported". Does nothing otherwise.
void RefuseForeignModels(const checkpoint::Checkpoint& checkpoint, const Configuration& configuration);

/// Throws Error for a checkpoint that no family explains.
[[noreturn]] void RefuseUnknownModel(const checkpoint::Checkpoint& checkpoint);

}  // namespace vitrine
