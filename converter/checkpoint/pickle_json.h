// SPDX-License-Identifier: Apache-2.0
// What a pickle says, for people: as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "converter/checkpoint/pickle.h"

namespace vitrine::checkpoint {

/// A pickle's string with what is not UTF-8 replaced: it will stand in JSON and on terminals.
std::string Utf8(std::string_view text);

/// A Python value as JSON: objects as their attributes, or their class's name; tensors and bytes as null, as
/// well as what is nested over 8 deep or comes after `budget` values, which counts down.
nlohmann::json ToJson(const PickleValue& value, int& budget);

}  // namespace vitrine::checkpoint
