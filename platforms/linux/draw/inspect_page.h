// SPDX-License-Identifier: Apache-2.0
// A model drawn: its operators with what they read, and what lies in the arena while they run.
#pragma once

#include <string>
#include <vitrine/vitrine.hpp>

#include "platforms/linux/cli/failure.h"

namespace vitrine {

/// Writes a page of HTML that needs nothing else: all of it or nothing. Throws Failure when it cannot be
/// written.
void WriteInspectPage(const Model& model, const Session& session, std::span<const OperatorInfo> operators,
                      const std::string& title, const std::string& path);

}  // namespace vitrine
