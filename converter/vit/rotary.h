// SPDX-License-Identifier: Apache-2.0
// The angles of rotary positions on a static grid.
#pragma once

#include <vector>

#include "converter/vit/vit.h"

namespace vitrine {

/// Returns [patches, K]: for each patch, row by row, the cosines of its K / 2 angles, then their sines.
/// Computed in double.
std::vector<float> RotationTable(const VitConfig& config);

}  // namespace vitrine
