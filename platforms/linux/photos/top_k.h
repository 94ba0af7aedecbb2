// SPDX-License-Identifier: Apache-2.0
// The classes that a model thinks most probable, for people.
#pragma once

#include <span>
#include <string>
#include <vector>
#include <vitrine/vitrine.hpp>

namespace vitrine {

/// The `count` most probable classes, or all there are, most probable first; of equal ones the first class.
std::vector<Guess> TopK(std::span<const float> logits, int count);

/// A class's name, or "class 7" where the model carries no labels; and the same for a terminal.
std::string LabelOf(const Model& model, int index);
std::string PrintableLabelOf(const Model& model, int index);

}  // namespace vitrine
