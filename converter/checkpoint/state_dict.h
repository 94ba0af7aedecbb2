// SPDX-License-Identifier: Apache-2.0
// Which of a torch checkpoint's dictionaries is the model, and what its tensors' names are without the
// prefixes that wrappers leave in them.
#pragma once

#include <map>
#include <string>

#include "converter/checkpoint/readers.h"
#include "converter/checkpoint/pickle.h"

namespace vitrine::checkpoint {

/// Finds the state dict in what `torch.save` was given:
///
///   a dict of tensors                   it is the state dict
///   a dict with a known entry           the first of state_dict_ema, model_ema, state_dict and model
///                                       (timm's order, so averaged weights win), or of model_state_dict,
///                                       ema, teacher, student, module, net and network; again inside
///   a dict with one dict of tensors     that one
///   a whole torch.nn.Module             its parameters and persistent buffers
///
/// Returns name -> what stands for the tensor. Writes to `contents` a note when an entry was chosen, and what
/// else the checkpoint says as metadata. Error, naming what is there instead, when there is no tensor.
std::map<std::string, const PickleValue*> FindStateDict(const PickleValue& root, const std::string& file,
                                                        Contents& contents);

/// Returns a Python value as JSON: objects as their attributes, or their class's name; null for tensors and bytes, for
/// values nested over 8 deep and for those after the first `budget` values. Counts `budget` down.
nlohmann::json ToJson(const PickleValue& value, int& budget);

/// Takes off the names, where no two become the same:
///   - `module.` (DataParallel) and `_orig_mod.` (torch.compile) at the start of any name, as timm does;
///   - `model.`, `net.`, `network.`, `backbone.`, `teacher.`, `student.` at the start of every name;
///   - `backbone.` when all other tensors belong to a training head, which is then left out.
void StripPrefixes(const NamePatterns& patterns, Contents& contents);

}  // namespace vitrine::checkpoint
