// SPDX-License-Identifier: Apache-2.0
// Blocks of 6 rows by two vectors, the second matrix packed by columns.
#include "converter/quantize/matrix.h"

#include <algorithm>
#include <cmath>
#include <thread>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "converter/quantize/matrix.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::ScalableTag<float>;
constexpr size_t kLanes = hn::MaxLanes(F32()), kColumns = 2 * kLanes, kRows = 6;

/// Rows [0, kRows) of a times a panel [k, kColumns] of b.
void MultiplyPanel(const float* const* a, const float* panel, size_t k, float* out) {
  const F32 d;
  hn::Vec<F32> sums[kRows][2];
  for (auto& row : sums) row[0] = row[1] = hn::Zero(d);
  for (size_t i = 0; i < k; ++i, panel += kColumns) {
    const auto b0 = hn::LoadU(d, panel), b1 = hn::LoadU(d, panel + kLanes);
    for (size_t r = 0; r < kRows; ++r) {
      const auto value = hn::Set(d, a[r][i]);
      sums[r][0] = hn::MulAdd(value, b0, sums[r][0]);
      sums[r][1] = hn::MulAdd(value, b1, sums[r][1]);
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    hn::StoreU(sums[r][0], d, out + r * kColumns);
    hn::StoreU(sums[r][1], d, out + r * kColumns + kLanes);
  }
}

}  // namespace

/// Columns of the output from `first` to `last`, which are rows of b.
void MultiplyColumns(const MatrixView& a, const MatrixView& b, size_t first, size_t last, float* out,
                     size_t stride) {
  std::vector<float> panel(a.columns * kColumns);
  float block[kRows * kColumns];
  for (size_t column = first; column < last; column += kColumns) {
    const size_t columns = std::min(kColumns, last - column);
    for (size_t c = 0; c < kColumns; ++c) {
      const float* from = b.data + (column + std::min(c, columns - 1)) * b.stride;
      for (size_t i = 0; i < a.columns; ++i) panel[i * kColumns + c] = from[i];
    }
    for (size_t row = 0; row < a.rows; row += kRows) {
      const float* rows[kRows];
      for (size_t r = 0; r < kRows; ++r) rows[r] = a.data + std::min(row + r, a.rows - 1) * a.stride;
      MultiplyPanel(rows, panel.data(), a.columns, block);
      for (size_t r = 0; r < kRows && row + r < a.rows; ++r)
        std::copy_n(block + r * kColumns, columns, out + (row + r) * stride + column);
    }
  }
}

}  // namespace vitrine::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine {

HWY_EXPORT(MultiplyColumns);

void MultiplyTransposed(const MatrixView& a, const MatrixView& b, float* out, size_t out_stride,
                        int threads) {
  const auto multiply = HWY_DYNAMIC_POINTER(MultiplyColumns);
  constexpr size_t kSmallest = size_t{1} << 22;  // products: below, a thread costs more than it saves
  if (threads == 0) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  if (a.rows * a.columns * b.rows < kSmallest) threads = 1;
  const size_t step = (b.rows / static_cast<size_t>(threads) + 64) / 64 * 64;
  std::vector<std::thread> workers;
  for (size_t first = step; first < b.rows; first += step) {
    workers.emplace_back([=] { multiply(a, b, first, std::min(b.rows, first + step), out, out_stride); });
  }
  multiply(a, b, 0, std::min(b.rows, step), out, out_stride);
  for (std::thread& worker : workers) worker.join();
}

std::vector<float> Gram(const MatrixView& x, int threads) {
  std::vector<float> transposed(x.columns * x.rows), gram(x.columns * x.columns);
  for (size_t r = 0; r < x.rows; ++r) {
    for (size_t c = 0; c < x.columns; ++c) transposed[c * x.rows + r] = x.data[r * x.stride + c];
  }
  const MatrixView view{transposed.data(), x.columns, x.rows, x.rows};
  MultiplyTransposed(view, view, gram.data(), x.columns, threads);
  return gram;
}

namespace {

constexpr size_t kBlock = 64;

/// The lower triangle L with L L^T = m, in place, a block of columns at a time.
bool Cholesky(std::span<float> m, size_t n, int threads) {
  std::vector<float> update(n * kBlock);
  for (size_t first = 0; first < n; first += kBlock) {
    const size_t width = std::min(kBlock, n - first);
    if (first > 0) {
      const MatrixView below{&m[first * n], n - first, first, n}, beside{&m[first * n], width, first, n};
      MultiplyTransposed(beside, below, update.data(), n, threads);
      for (size_t r = first; r < n; ++r) {
        for (size_t c = 0; c < width; ++c) m[r * n + first + c] -= update[c * n + r - first];
      }
    }
    for (size_t c = first; c < first + width; ++c) {
      for (size_t r = c; r < n; ++r) {
        double sum = m[r * n + c];
        for (size_t k = first; k < c; ++k) sum -= double{m[r * n + k]} * m[c * n + k];
        if (r == c && !(sum > 0)) return false;
        m[r * n + c] = static_cast<float>(r == c ? std::sqrt(sum) : sum / m[c * n + c]);
      }
    }
  }
  return true;
}

/// The transpose of L^-1, an upper triangle, a block of L's rows at a time.
std::vector<float> InverseTransposed(std::span<const float> lower, size_t n, int threads) {
  std::vector<float> inverse(n * n), update(kBlock * n);
  for (size_t first = 0; first < n; first += kBlock) {
    const size_t height = std::min(kBlock, n - first);
    if (first > 0) {
      const MatrixView rows{&lower[first * n], height, first, n}, above{inverse.data(), first, first, n};
      MultiplyTransposed(rows, above, update.data(), n, threads);
    }
    for (size_t r = first; r < first + height; ++r) {
      for (size_t c = 0; c <= r; ++c) {
        double sum = r == c ? 1.0 : c < first ? -double{update[(r - first) * n + c]} : 0.0;
        for (size_t k = std::max(c, first); k < r; ++k) sum -= double{lower[r * n + k]} * inverse[c * n + k];
        inverse[c * n + r] = static_cast<float>(sum / lower[r * n + r]);
      }
    }
  }
  return inverse;
}

}  // namespace

bool InverseCholesky(std::span<float> matrix, size_t n, int threads) {
  // With the order of rows and columns reversed, U is the inverse of the lower triangle.
  std::reverse(matrix.begin(), matrix.end());
  if (!Cholesky(matrix, n, threads)) return false;
  const std::vector<float> inverse = InverseTransposed(matrix, n, threads);
  for (size_t r = 0; r < n; ++r) {
    for (size_t c = 0; c < n; ++c) matrix[r * n + c] = c < r ? 0.0f : inverse[(n - 1 - c) * n + (n - 1 - r)];
  }
  return true;
}

}  // namespace vitrine
#endif  // HWY_ONCE
