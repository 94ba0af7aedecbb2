// SPDX-License-Identifier: Apache-2.0
// Packs weights for the kernels of the int8 linear layer, on any CPU; and the layer's plain reference.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "runtime/kernels/linear_int8.h"
#include "runtime/kernels/linear_int8_kernels.h"

namespace vitrine::kernels {
namespace {

constexpr size_t kColumns = LinearInt8Panel::kColumns;

/// Writes a row of weights as the groups of one column.
template <size_t kGroup>
void PackColumn(const int8_t* row, size_t K, char* group) {
  size_t k = 0;
  for (; k + kGroup <= K; k += kGroup, group += kColumns * kGroup) std::memcpy(group, row + k, kGroup);
  std::memcpy(group, row + k, K - k);
}

/// Returns the sum of a row of weights. The compiler turns the sixteen sums into vectors.
int32_t Sum(const int8_t* row, size_t K) {
  int32_t sums[16] = {};
  size_t k = 0;
  for (; k + 16 <= K; k += 16) {
    for (size_t i = 0; i < 16; ++i) sums[i] += row[k + i];
  }
  return std::accumulate(row + k, row + K, std::accumulate(sums, sums + 16, int32_t{0}));
}

template <size_t kGroup>
void PackPanels(const LinearInt8Weights& w, void* packed) {
  for (size_t first = 0; first < w.N; first += kColumns) {
    const LinearInt8Panel panel(packed, first, w.K);
    std::memset(panel.groups, 0, LinearInt8Panel::Bytes(w.K));
    const size_t columns = std::min(kColumns, w.N - first);
    for (size_t c = 0; c < columns; ++c) {
      const int8_t* row = w.weight + (first + c) * w.K;
      PackColumn<kGroup>(row, w.K, reinterpret_cast<char*>(panel.groups) + c * kGroup);
      panel.scale[c] = w.scales[first + c];
      panel.bias[c] = w.bias != nullptr ? w.bias[first + c] : 0.0f;
      panel.sum[c] = Sum(row, w.K);
    }
  }
}

}  // namespace

size_t LinearInt8PackedBytes(size_t N, size_t K) {
  return (N + kColumns - 1) / kColumns * LinearInt8Panel::Bytes(K);
}

void PackLinearInt8(const LinearInt8Weights& weights, size_t group, void* packed) {
  if (group == 8) PackPanels<8>(weights, packed);
  if (group == 16) PackPanels<16>(weights, packed);
}

void LinearInt8Reference(const LinearInt8Arguments& a, const LinearInt8Weights& w, size_t first_row,
                         size_t last_row) {
  for (size_t t = first_row; t < last_row; ++t) {
    const RowQuantization& q = a.quantization[t];
    for (size_t n = 0; n < w.N; ++n) {
      double sum = 0;
      for (size_t k = 0; k < w.K; ++k)
        sum += (a.input[t * a.input_stride + k] - q.zero_point) * w.weight[n * w.K + k];
      const double bias = w.bias != nullptr ? double{w.bias[n]} : 0.0;
      a.out[t * a.out_stride + n] = static_cast<float>(sum * double{q.scale} * double{w.scales[n]} + bias);
    }
  }
}

}  // namespace vitrine::kernels
