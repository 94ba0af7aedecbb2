// SPDX-License-Identifier: Apache-2.0
// Relative position bias (BEiT, data2vec): a table by the distance of two patches, which attention adds to
// its scores.
#pragma once

#include "converter/family/layout.h"
#include "converter/family/reader.h"

namespace vitrine {

/// Rows of the table of a grid: the distances of two patches, then class to patch, patch to
/// class, class to class.
int PositionBiasRows(PatchGrid grid);

/// Returns the grid whose table has `rows` rows: `hint` where it fits, else a square. Error naming `name`.
PatchGrid PositionBiasGrid(int rows, PatchGrid hint, const std::string& name);

/// Returns [H, PositionBiasRows(model's grid)], the sum of the block's own table and the one that blocks
/// share, resampled to the model's grid; empty where there is neither.
std::vector<float> LoadPositionBias(Reader& reader, const Layout& layout, int block);

}  // namespace vitrine
