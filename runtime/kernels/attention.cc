// SPDX-License-Identifier: Apache-2.0
// Attention in f32. One micro-kernel computes both products, as sums of outer products of short columns:
//
//   scores^T [keys, queries]    += key[k] (8 scalars)          x  query^T[k] (vectors over queries)
//   output   [queries, columns] += probability^T[t] (scalars)  x  value[t]   (vectors over columns)
//
// The scores are transposed: the lanes of a vector are queries, so softmax needs no sums across lanes.
#include "runtime/kernels/attention.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/attention.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/kernels/rows-inl.h"
#include "runtime/kernels/exp-inl.h"
#include "runtime/kernels/outer_product-inl.h"
#include "runtime/kernels/attention_bias-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {

constexpr size_t kPanel = 8;  // keys per panel

// Queries that are computed together: one or two vectors of scores.
constexpr size_t kQueryVectors = kLanes == 16 ? 1 : 2;
constexpr size_t kQueries = kLanes * kQueryVectors;
static_assert(kQueries <= kAttentionTileRows && kPanel % kScalars == 0 && kQueries % kScalars == 0);

/// One head of kQueries queries, in the scratch memory of the thread.
struct Tile {
  const float* query;  // [K, kQueries], in units of log2(e)
  float* scores;       // [T in whole panels, kQueries], then probabilities
  float max[kQueries];
  float factor[kQueries];  // 1 / sum of the probabilities
};

/// Sets scores to query * key^T + size_log2, transposed, and max to the largest of each lane.
HWY_FLATTEN void Score(const float* keys, const float* size_log2, size_t T, size_t K, Tile& tile) {
  VF max[kQueryVectors];
  Unroll<kQueryVectors>([&](auto v) HWY_ATTR { max[v] = hn::Set(kF32, hwy::LowestValue<float>()); });
  float* scores = tile.scores;
  for (size_t t = 0; t < T; t += kScalars, scores += kScalars * kQueries) {
    const float* panel = keys + t / kPanel * kPanel * K + t % kPanel;
    auto sums = SumOfOuterProducts<FloatProduct, kQueryVectors>(panel, kPanel, tile.query, kQueries, K);
    if (size_log2 != nullptr) {
      Unroll<kScalars>([&](auto j) HWY_ATTR {
        if (t + j >= T) return;
        const VF weight = hn::Set(kF32, size_log2[t + j]);
        Unroll<kQueryVectors>([&](auto v) HWY_ATTR { sums.v[j][v] = hn::Add(sums.v[j][v], weight); });
      });
    }
    Unroll<kScalars * kQueryVectors>([&](auto i) HWY_ATTR {
      hn::StoreU(sums.v[i / kQueryVectors][i % kQueryVectors], kF32, scores + i * kLanes);
    });
    const auto update_max = [&](auto j) HWY_ATTR {
      Unroll<kQueryVectors>([&](auto v) HWY_ATTR { max[v] = hn::Max(max[v], sums.v[j][v]); });
    };
    if (t + kScalars <= T) {
      Unroll<kScalars>(update_max);
    } else {
      // Keys after the last one are zeros in the panel. Their scores are never read.
      Unroll<kScalars>([&](auto j) HWY_ATTR {
        if (t + j < T) update_max(j);
      });
    }
  }
  Unroll<kQueryVectors>([&](auto v) HWY_ATTR { hn::StoreU(max[v], kF32, tile.max + v * kLanes); });
}

/// Sets scores to 2^(scores - max), not yet divided by their sum, and factor to 1 / sum.
HWY_FLATTEN void Exponentiate(size_t T, Tile& tile) {
  VF sum[kQueryVectors], max[kQueryVectors];
  Unroll<kQueryVectors>([&](auto v) HWY_ATTR {
    sum[v] = hn::Zero(kF32);
    max[v] = hn::LoadU(kF32, tile.max + v * kLanes);
  });
  for (float *scores = tile.scores, *end = scores + T * kQueries; scores != end; scores += kQueries) {
    Unroll<kQueryVectors>([&](auto v) HWY_ATTR {
      const VF x = hn::Sub(hn::LoadU(kF32, scores + v * kLanes), max[v]);
      const VF power = Power2(hn::Max(x, hn::Set(kF32, -126.0f)));
      sum[v] = hn::Add(sum[v], power);
      hn::StoreU(power, kF32, scores + v * kLanes);
    });
  }
  Unroll<kQueryVectors>([&](auto v) HWY_ATTR {
    hn::StoreU(hn::Div(hn::Set(kF32, 1.0f), sum[v]), kF32, tile.factor + v * kLanes);
  });
}

/// Sets out to probabilities * value for kCount vectors of columns, and `rows` rows or a few more.
template <size_t kCount, bool kWhole = true>
HWY_FLATTEN void Mix(const float* value, size_t value_stride, size_t T, const Tile& tile, size_t rows,
                     float* out, size_t out_stride, size_t lanes = kLanes) {
  for (size_t q = 0; q < rows; q += kScalars) {
    const auto sums = SumOfOuterProducts<FloatProduct, kCount, kWhole>(tile.scores + q, kQueries, value,
                                                                       value_stride, T, lanes);
    Unroll<kScalars * kCount>([&](auto i) HWY_ATTR {
      constexpr size_t j = i / kCount;
      const VF v = hn::Mul(sums.v[j][i % kCount], hn::Set(kF32, tile.factor[q + j]));
      float* to = out + (q + j) * out_stride + i % kCount * kLanes;
      if constexpr (kWhole) {
        hn::StoreU(v, kF32, to);
      } else {
        hn::StoreN(v, kF32, to, lanes);
      }
    });
  }
}

void MixHead(const float* value, size_t value_stride, size_t T, size_t K, const Tile& tile, size_t rows,
             float* out, size_t out_stride) {
  size_t i = 0;
  for (; i + kVectors * kLanes <= K; i += kVectors * kLanes) {
    Mix<kVectors>(value + i, value_stride, T, tile, rows, out + i, out_stride);
  }
  for (; i + kLanes <= K; i += kLanes) Mix<1>(value + i, value_stride, T, tile, rows, out + i, out_stride);
  if (i < K) Mix<1, false>(value + i, value_stride, T, tile, rows, out + i, out_stride, K - i);
}

size_t RoundUpToPanel(size_t n) { return (n + kPanel - 1) / kPanel * kPanel; }

void PackAttentionHead(const AttentionArguments& a, size_t head, void* packed) {
  float* panel = static_cast<float*>(packed) + head * RoundUpToPanel(a.T) * a.K;
  for (size_t t = 0; t < a.T; t += kPanel, panel += kPanel * a.K) {
    const float* key = a.key + t * a.key_stride + head * a.K;
    PackTransposed(key, a.key_stride, std::min(kPanel, a.T - t), a.K, kPanel, panel,
                   [](auto v) HWY_ATTR { return v; });
  }
}

/// Sets the tile to one head's probabilities of `rows` queries, not yet divided by their sums. Packs the
/// queries into `query`.
void ScoreHead(const AttentionArguments& a, const float* keys, size_t head, size_t first, size_t rows,
               float* query, Tile& tile) {
  const auto to_log2 = [](auto v) HWY_ATTR { return hn::Mul(v, hn::Set(hn::DFromV<decltype(v)>(), kLog2E)); };
  PackTransposed(a.query + first * a.query_stride + head * a.K, a.query_stride, rows, a.K, kQueries, query,
                 to_log2);
  Score(keys + head * RoundUpToPanel(a.T) * a.K, a.size_log2, a.T, a.K, tile);
  if (a.bias != nullptr) AddPositionBias<kQueryVectors>(a, head, first, tile.scores, tile.max);
  Exponentiate(a.T, tile);
}

/// Writes kQueries rows of all heads in f32. Rows from `rows` on have no meaning.
void AttendRows(const AttentionArguments& a, const float* keys, size_t first, size_t rows, float* scratch,
                float* out, size_t out_stride) {
  Tile tile;
  tile.query = scratch;
  tile.scores = scratch + a.K * kQueries;
  for (size_t head = 0; head < a.H; ++head) {
    const size_t column = head * a.K;
    ScoreHead(a, keys, head, first, rows, scratch, tile);
    MixHead(a.value + column, a.value_stride, a.T, a.K, tile, rows, out + column, out_stride);
  }
}

/// Adds the probabilities of all keys to sum, which is transposed like the scores.
HWY_FLATTEN void AddProbabilities(size_t T, const Tile& tile, float* sum) {
  Unroll<kQueryVectors>([&](auto v) HWY_ATTR {
    const VF factor = hn::LoadU(kF32, tile.factor + v * kLanes);
    for (size_t i = v * kLanes, end = T * kQueries; i < end; i += kQueries) {
      hn::StoreU(hn::MulAdd(hn::LoadU(kF32, tile.scores + i), factor, hn::LoadU(kF32, sum + i)), kF32,
                 sum + i);
    }
  });
}

void AttentionMean(const AttentionArguments& a, const void* packed, size_t first, size_t last, float* mean,
                   void* scratch) {
  float* query = static_cast<float*>(scratch);
  float* sum = query + a.K * kQueries;
  Tile tile;
  tile.query = query;
  tile.scores = sum + RoundUpToPanel(a.T) * kQueries;
  const float share = 1 / static_cast<float>(a.H);
  for (size_t row = first; row < last; row += kQueries) {
    const size_t rows = std::min(kQueries, last - row);
    std::fill_n(sum, a.T * kQueries, 0.0f);
    for (size_t head = 0; head < a.H; ++head) {
      ScoreHead(a, static_cast<const float*>(packed), head, row, rows, query, tile);
      AddProbabilities(a.T, tile, sum);
    }
    for (size_t i = 0; i < rows; ++i) {
      for (size_t t = 0; t < a.T; ++t) mean[(row + i) * a.T + t] = sum[t * kQueries + i] * share;
    }
  }
}

void AttentionTile(const AttentionArguments& a, const void* packed, size_t first, size_t last,
                   void* scratch) {
  const float* keys = static_cast<const float*>(packed);
  const size_t D = a.H * a.K;
  float* rows_f32 = static_cast<float*>(scratch);
  float* rest = rows_f32 + kQueries * D;
  for (size_t row = first; row < last; row += kQueries) {
    const size_t rows = std::min(kQueries, last - row);
    if (a.out.type == RowType::kF32 && rows == kQueries) {
      AttendRows(a, keys, row, rows, rest, static_cast<float*>(a.out.data) + row * a.out.stride,
                 a.out.stride);
      continue;
    }
    AttendRows(a, keys, row, rows, rest, rows_f32, D);
    for (size_t i = 0; i < rows; ++i) WriteRow(rows_f32 + i * D, D, a.out, row + i);
  }
}

}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::kernels {

HWY_EXPORT(PackAttentionHead);
HWY_EXPORT(AttentionTile);
HWY_EXPORT(AttentionMean);

// Sizes are those of the widest vectors, so that they are the same on all CPUs.
namespace {
constexpr size_t kPanel = 8;
size_t RoundUp(size_t n, size_t to) { return (n + to - 1) / to * to; }
}  // namespace

size_t AttentionPackedBytes(size_t T, size_t H, size_t K) {
  return H * RoundUp(T, kPanel) * K * sizeof(float);
}

size_t AttentionScratchBytes(size_t T, size_t H, size_t K) {
  return kAttentionTileRows * (H * K + K + RoundUp(T, kPanel)) * sizeof(float);
}

size_t AttentionMeanScratchBytes(size_t T, size_t K) {
  return kAttentionTileRows * (K + 2 * RoundUp(T, kPanel)) * sizeof(float);
}

void PackAttentionHead(const AttentionArguments& arguments, size_t head, void* packed) {
  HWY_DYNAMIC_DISPATCH(PackAttentionHead)(arguments, head, packed);
}

void AttentionTile(const AttentionArguments& arguments, const void* packed, size_t first, size_t last,
                   void* scratch) {
  HWY_DYNAMIC_DISPATCH(AttentionTile)(arguments, packed, first, last, scratch);
}

void AttentionMean(const AttentionArguments& arguments, const void* packed, size_t first, size_t last,
                   float* mean, void* scratch) {
  HWY_DYNAMIC_DISPATCH(AttentionMean)(arguments, packed, first, last, mean, scratch);
}

}  // namespace vitrine::kernels
#endif  // HWY_ONCE
