// SPDX-License-Identifier: Apache-2.0
#include "converter/family/position_bias.h"

#include <algorithm>
#include <cmath>

#include "converter/error.h"

namespace vitrine {
namespace {

constexpr int kClassRows = 3;

/// Each side has as many distances as cells but one, in both directions.
PatchGrid Distances(PatchGrid grid) { return {2 * grid.height - 1, 2 * grid.width - 1}; }

/// The table [rows, heads] of one grid as that of another.
std::vector<float> Resized(const std::vector<float>& table, const Layout& layout, PatchGrid grid) {
  const int heads = layout.config.heads;
  const PatchGrid stored = Distances(layout.bias_grid);
  // transformers takes the stored table's height for its width, which matters where they differ.
  const PatchGrid from{stored.width, stored.height};
  const size_t distances = static_cast<size_t>(stored.cells()) * heads;
  std::vector<float> resized = ResizePositions(std::span(table).first(distances), from, Distances(grid),
                                               heads, PositionFilter::kBilinear);
  resized.insert(resized.end(), table.begin() + static_cast<ptrdiff_t>(distances), table.end());
  return resized;
}

}  // namespace

int PositionBiasRows(PatchGrid grid) { return Distances(grid).cells() + kClassRows; }

PatchGrid PositionBiasGrid(int rows, PatchGrid hint, const std::string& name) {
  if (hint.cells() > 0 && PositionBiasRows(hint) == rows) return hint;
  const int side = (static_cast<int>(std::lround(std::sqrt(std::max(0, rows - kClassRows)))) + 1) / 2;
  if (side < 1 || PositionBiasRows({side, side}) != rows) {
    Fail(name, ": ", rows, " rows are not those of a grid of patches and a class token");
  }
  return {side, side};
}

std::vector<float> LoadPositionBias(Reader& reader, const Layout& layout, int block) {
  const VitConfig& config = layout.config;
  const int stored_rows = layout.bias_grid.cells() > 0 ? PositionBiasRows(layout.bias_grid) : 0;
  std::vector<float> sum;
  for (const Slot slot : {Slot::kPositionBias, Slot::kSharedPositionBias}) {
    if (!reader.names().Has(slot)) continue;
    const int of_block = slot == Slot::kPositionBias ? block : 0;
    const std::vector<float> table = reader.RequireRows(slot, stored_rows, config.heads, of_block);
    sum.resize(table.size());
    for (size_t i = 0; i < table.size(); ++i) sum[i] += table[i];
  }
  if (sum.empty()) return sum;
  const PatchGrid grid{config.image_height / config.patch_height, config.image_width / config.patch_width};
  if (layout.bias_resizes) sum = Resized(sum, layout, grid);
  const size_t rows = static_cast<size_t>(PositionBiasRows(grid)), heads = static_cast<size_t>(config.heads);
  std::vector<float> by_head(rows * heads);
  for (size_t i = 0; i < by_head.size(); ++i) by_head[i] = sum[i % rows * heads + i / rows];
  return by_head;
}

}  // namespace vitrine
