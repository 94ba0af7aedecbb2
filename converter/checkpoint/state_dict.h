// SPDX-License-Identifier: Apache-2.0
// Finds the model among a torch checkpoint's dictionaries, and removes the prefixes that wrapping modules add
// to the tensors' names.
#pragma once

#include <map>
#include <string>

#include "converter/checkpoint/readers.h"
#include "converter/checkpoint/pickle.h"

namespace vitrine::checkpoint {

/// Finds the state dict in the object that `torch.save` saved:
///
///   a dict of tensors                   it is the state dict
///   a dict with a known entry           the first of state_dict_ema, model_ema, state_dict and model
///                                       (in this order, so averaged weights win), or of model_state_dict,
///                                       ema, teacher, student, module, net and network; again inside
///   a dict with one dict of tensors     that one
///   a whole torch.nn.Module             its parameters and persistent buffers
///
/// Returns the values that describe tensors, by name. Adds to `contents` a note about the chosen entry, and
/// the other entries as metadata. Error with the entries found when there is no tensor.
std::map<std::string, const PickleValue*> FindStateDict(const PickleValue& root, const std::string& file,
                                                        Contents& contents);

/// Returns a Python value as JSON: objects as their attributes, or their class's name; null for tensors and
/// bytes, for values nested over 8 deep and for those after the first `budget` values. Counts `budget` down.
nlohmann::json ToJson(const PickleValue& value, int& budget);

/// Removes from the names, unless two would become equal:
///   - `module.` (DataParallel) and `_orig_mod.` (torch.compile) at the start of any name;
///   - `model.`, `net.`, `network.`, `backbone.`, `teacher.`, `student.` at the start of every name;
///   - `backbone.` when all other tensors belong to a training head, which is then left out.
void StripPrefixes(const NamePatterns& patterns, Contents& contents);

}  // namespace vitrine::checkpoint
