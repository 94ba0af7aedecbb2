// SPDX-License-Identifier: Apache-2.0
// Weights that are no numbers are refused by name.
#pragma once

#include <span>
#include <string>

namespace vitrine {

/// Throws Error naming `name` and the place when a value is NaN or infinite.
void CheckFinite(const std::string& name, std::span<const float> values);

}  // namespace vitrine
