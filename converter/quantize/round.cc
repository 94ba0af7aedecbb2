// SPDX-License-Identifier: Apache-2.0
#include "converter/quantize/quantize.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "converter/quantize/matrix.h"
#include "runtime/program/program.h"

namespace vitrine {
namespace {

constexpr size_t kBlock = 128;  // columns whose error is collected before the later columns get it

/// The order in which columns are rounded, and how the error of each spreads over the later ones.
struct Compensation {
  std::vector<size_t> order;
  std::vector<float> factor;  // U with U^T U = (X^T X)^-1, in that order; empty: no compensation
};

Compensation CompensationOf(std::span<const float> gram, size_t columns) {
  Compensation c;
  c.order.resize(columns);
  std::iota(c.order.begin(), c.order.end(), size_t{0});
  // The largest first: most columns are left to compensate for them.
  std::stable_sort(c.order.begin(), c.order.end(),
                   [&](size_t a, size_t b) { return gram[a * columns + a] > gram[b * columns + b]; });
  double sum = 0;
  for (size_t i = 0; i < columns; ++i) sum += gram[i * columns + i];
  constexpr double kDamping = 0.01;  // of the mean, as in the paper
  const float damping = static_cast<float>(kDamping * sum / static_cast<double>(columns));
  if (!(damping > 0) || !std::isfinite(damping)) return c;
  c.factor.resize(columns * columns);
  for (size_t i = 0; i < columns; ++i) {
    for (size_t j = 0; j < columns; ++j) c.factor[i * columns + j] = gram[c.order[i] * columns + c.order[j]];
    c.factor[i * columns + i] += damping;
  }
  if (!InverseCholesky(c.factor, columns, 0)) c.factor.clear();
  return c;
}

/// y += factor x.
void AddScaled(float factor, const float* x, size_t n, float* y) {
  for (size_t i = 0; i < n; ++i) y[i] += factor * x[i];
}

/// Rounds a row, whose columns are in the order of `c`. `round(column, value)` returns the rounded value.
void RoundRow(const Compensation& c, std::span<float> row, const std::function<float(size_t, float)>& round) {
  const size_t n = row.size();
  float lost[kBlock];  // the errors of a block's columns, in units of the factor's diagonal
  for (size_t first = 0; first < n; first += kBlock) {
    const size_t last = std::min(n, first + kBlock);
    for (size_t i = first; i < last; ++i) {
      const float* factor = &c.factor[i * n];
      lost[i - first] = (row[i] - round(c.order[i], row[i])) / factor[i];
      AddScaled(-lost[i - first], factor + i + 1, last - i - 1, &row[i] + 1);
    }
    for (size_t i = first; i < last; ++i)
      AddScaled(-lost[i - first], &c.factor[i * n + last], n - last, row.data() + last);
  }
}

/// Rounds every row. `round(r, column, value)` stores the rounded value and returns it.
void RoundRows(const Compensation& c, std::span<const float> values, size_t rows, size_t columns,
               const std::function<float(size_t, size_t, float)>& round) {
  std::vector<float> row(columns);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t i = 0; i < columns; ++i) row[i] = values[r * columns + c.order[i]];
    RoundRow(c, row, [&](size_t column, float value) { return round(r, column, value); });
  }
}

}  // namespace

QuantizedMatrix QuantizeRowsFor(std::span<const float> gram, const std::string& name,
                                std::span<const float> values, size_t rows, size_t columns) {
  QuantizedMatrix matrix = QuantizeRowsSymmetric(name, values, rows, columns);
  const Compensation compensation = CompensationOf(gram, columns);
  if (compensation.factor.empty()) return matrix;
  RoundRows(compensation, values, rows, columns, [&](size_t r, size_t column, float value) {
    const float scale = matrix.scales[r];
    const float rounded = std::clamp(std::nearbyint(value / scale), -127.0f, 127.0f);
    matrix.values[r * columns + column] = static_cast<int8_t>(rounded);
    return rounded * scale;
  });
  return matrix;
}

Int4Matrix QuantizeBlocksFor(std::span<const float> gram, const std::string& name,
                             std::span<const float> values, size_t rows, size_t columns) {
  Int4Matrix matrix = QuantizeBlocks(name, values, rows, columns);
  const Compensation compensation = CompensationOf(gram, columns);
  if (compensation.factor.empty()) return matrix;
  RoundRows(compensation, values, rows, columns, [&](size_t r, size_t column, float value) {
    const float scale = FromBfloat16(matrix.block_scales[(r * columns + column) / kInt4Block]);
    const uint8_t rounded = RoundInt4(value, scale);
    matrix.values[r * columns + column] = rounded;
    return (static_cast<float>(rounded) - 8) * scale;
  });
  return matrix;
}

}  // namespace vitrine
