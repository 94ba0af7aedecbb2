// SPDX-License-Identifier: Apache-2.0
// The page of `vitrine inspect --html`: the operators, the tensors that they read, and the arena over time.
#pragma once

#include <span>
#include <string>
#include <vitrine/vitrine.hpp>

namespace vitrine {

/// Writes one HTML file that loads nothing, whole or not at all. `operators` are those of the session's level. Throws
/// Failure when the file cannot be written.
void WriteInspectPage(const Model& model, const Session& session, std::span<const OperatorInfo> operators,
                      const std::string& title, const std::string& path);

}  // namespace vitrine
