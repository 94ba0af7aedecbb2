// SPDX-License-Identifier: Apache-2.0
// What the readers of checkpoint/ need of the families' tables.
#pragma once

#include "converter/checkpoint/name_patterns.h"

namespace vitrine {

/// Returns the names that all families' tables give to tokens, positions, attention, layer scale, attention
/// pooling and training heads.
checkpoint::NamePatterns AllNamePatterns();

}  // namespace vitrine
