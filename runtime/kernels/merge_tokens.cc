// SPDX-License-Identifier: Apache-2.0
// Token merging in f32. The metric is transposed, so that the products of 8 odd tokens and a vector of even
// tokens are the outer products of attention, and each lane finds the best match of an even token.
#include "runtime/kernels/merge_tokens.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/merge_tokens.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/kernels/rows-inl.h"
#include "runtime/kernels/outer_product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {

constexpr size_t kMatchVectors = kLanes == 16 ? 1 : 2;
constexpr size_t kMatchLanes = kLanes * kMatchVectors;
static_assert(kMergeTokensTile % kMatchLanes == 0);

/// Writes the sum over the heads of a key to mean[0, K) in whole vectors; returns one over its length.
float SumHeads(const float* key, size_t H, size_t K, float* mean) {
  VF squares = hn::Zero(kF32);
  for (size_t i = 0; i < K; i += kLanes) {
    const size_t lanes = std::min(kLanes, K - i);
    VF sum = hn::LoadN(kF32, key + i, lanes);
    for (size_t h = 1; h < H; ++h) sum = hn::Add(sum, hn::LoadN(kF32, key + h * K + i, lanes));
    hn::StoreU(sum, kF32, mean + i);
    squares = hn::MulAdd(sum, sum, squares);
  }
  return 1.0f / std::sqrt(hn::ReduceSum(kF32, squares));
}

void MergeTokensMetric(const MergeTokensArguments& a, size_t first, size_t last, void* memory,
                       void* scratch) {
  const MergeTokensShared shared(a, memory);
  const size_t columns = MergeTokensShared::Columns(a.T);
  float* mean = static_cast<float*>(scratch);
  for (size_t t = first; t < last; ++t) {
    const float factor = SumHeads(a.key + t * a.key_stride, a.H, a.K, mean);
    float* column =
        t % 2 == 0 ? shared.even + (t - EvenToken(a, 0)) / 2 : shared.odd + (t - OddToken(a, 0)) / 2;
    for (size_t k = 0; k < a.K; ++k) column[k * columns] = mean[k] * factor;
  }
}

/// Finds the best match of kMatchLanes even tokens from `first` on; of equal ones, the first. A NaN is never
/// the best.
void MatchLanes(const MergeTokensArguments& a, const MergeTokensShared& shared, size_t first, float* score,
                int32_t* match) {
  const size_t columns = MergeTokensShared::Columns(a.T), odd_count = a.odd_count();
  VF best[kMatchVectors];
  VI index[kMatchVectors];
  Unroll<kMatchVectors>([&](auto v) HWY_ATTR {
    best[v] = hn::Set(kF32, hwy::LowestValue<float>());
    index[v] = hn::Zero(kI32);
  });
  for (size_t t = 0; t < odd_count; t += kScalars) {
    const auto sums = SumOfOuterProducts<FloatProduct, kMatchVectors>(shared.odd + t, columns,
                                                                      shared.even + first, columns, a.K);
    Unroll<kScalars>([&](auto j) HWY_ATTR {
      if (t + j >= odd_count) return;
      const VI here = hn::Set(kI32, static_cast<int32_t>(t + j));
      Unroll<kMatchVectors>([&](auto v) HWY_ATTR {
        const auto better = hn::Gt(sums.v[j][v], best[v]);
        best[v] = hn::IfThenElse(better, sums.v[j][v], best[v]);
        index[v] = hn::IfThenElse(hn::RebindMask(kI32, better), here, index[v]);
      });
    });
  }
  Unroll<kMatchVectors>([&](auto v) HWY_ATTR {
    hn::StoreU(best[v], kF32, score + v * kLanes);
    hn::StoreU(index[v], kI32, match + v * kLanes);
  });
}

void MergeTokensMatch(const MergeTokensArguments& a, size_t first, size_t last, void* memory) {
  const MergeTokensShared shared(a, memory);
  float score[kMatchLanes];
  int32_t match[kMatchLanes];
  for (size_t i = first; i < last; i += kMatchLanes) {
    // Into buffers first, because the lanes after the last token belong to another thread.
    const size_t count = std::min(kMatchLanes, last - i);
    MatchLanes(a, shared, i, score, match);
    std::copy_n(score, count, shared.score + i);
    std::copy_n(match, count, shared.match + i);
  }
}

/// Sets out to (token + delta) * size, or adds it (kAdd).
template <bool kAdd, bool kDelta>
void AddToken(const float* token, const float* delta, float size, size_t D, float* out) {
  const VF factor = hn::Set(kF32, size);
  for (size_t i = 0; i < D; i += kLanes) {
    const size_t lanes = std::min(kLanes, D - i);
    VF v = hn::LoadN(kF32, token + i, lanes);
    if constexpr (kDelta) v = hn::Add(v, hn::LoadN(kF32, delta + i, lanes));
    v = kAdd ? hn::MulAdd(v, factor, hn::LoadN(kF32, out + i, lanes)) : hn::Mul(v, factor);
    hn::StoreN(v, kF32, out + i, lanes);
  }
}

template <bool kDelta>
void MergeRow(const MergeTokensArguments& a, const MergeTokensShared& shared, size_t row) {
  float* out = a.out + row * a.D;
  const auto size = [&](size_t t) { return a.sizes == nullptr ? 1.0f : a.sizes[t]; };
  const size_t source = static_cast<size_t>(shared.source[row]);
  const bool alone = shared.next[source] == kNone;
  float total = size(source);
  const auto delta = [&](size_t t) { return kDelta ? a.delta + t * a.D : nullptr; };
  AddToken<false, kDelta>(a.tokens + source * a.D, delta(source), alone ? 1.0f : total, a.D, out);
  for (int32_t next = shared.next[source]; next != kNone; next = shared.next[next]) {
    const size_t t = static_cast<size_t>(next);
    total += size(t);
    AddToken<true, kDelta>(a.tokens + t * a.D, delta(t), size(t), a.D, out);
  }
  if (!alone) AddToken<false, false>(out, nullptr, 1.0f / total, a.D, out);
  a.out_sizes[row] = total;
  a.out_sizes[a.T - a.merged + row] = total == 1 ? 0.0f : std::log2(total);
}

void MergeTokensRows(const MergeTokensArguments& a, size_t first, size_t last, const void* memory) {
  const MergeTokensShared shared(a, memory);
  for (size_t row = first; row < last; ++row) {
    a.delta == nullptr ? MergeRow<false>(a, shared, row) : MergeRow<true>(a, shared, row);
  }
}

}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::kernels {

HWY_EXPORT(MergeTokensMetric);
HWY_EXPORT(MergeTokensMatch);
HWY_EXPORT(MergeTokensRows);

size_t MergeTokensSharedBytes(size_t T, size_t K) { return MergeTokensShared::Bytes(T, K); }
size_t MergeTokensScratchBytes(size_t K) { return (K + 15) / 16 * 16 * sizeof(float); }

void MergeTokensMetric(const MergeTokensArguments& arguments, size_t first, size_t last, void* shared,
                       void* scratch) {
  HWY_DYNAMIC_DISPATCH(MergeTokensMetric)(arguments, first, last, shared, scratch);
}

void MergeTokensMatch(const MergeTokensArguments& arguments, size_t first, size_t last, void* shared) {
  HWY_DYNAMIC_DISPATCH(MergeTokensMatch)(arguments, first, last, shared);
}

void MergeTokensPlan(const MergeTokensArguments& a, void* memory) {
  const MergeTokensShared shared(a, memory);
  const size_t even_count = a.even_count(), odd_count = a.odd_count();
  int32_t* const order = shared.order;
  for (size_t i = 0; i < even_count; ++i) order[i] = static_cast<int32_t>(i);
  std::nth_element(order, order + a.merged, order + even_count, [&](int32_t i, int32_t j) {
    return shared.score[i] != shared.score[j] ? shared.score[i] > shared.score[j] : i < j;
  });
  std::sort(order, order + a.merged);
  std::sort(order + a.merged, order + even_count);

  std::fill_n(shared.next, a.T, kNone);
  // From the last to the first, each put in front, so that the tokens of a row are in ascending order.
  for (size_t i = a.merged; i-- > 0;) {
    const size_t t = EvenToken(a, static_cast<size_t>(order[i]));
    const size_t into = OddToken(a, static_cast<size_t>(shared.match[order[i]]));
    shared.next[t] = shared.next[into];
    shared.next[into] = static_cast<int32_t>(t);
  }
  int32_t* source = shared.source;
  for (size_t t = 0; t < a.protected_rows; ++t) *source++ = static_cast<int32_t>(t);
  for (size_t i = a.merged; i < even_count; ++i) {
    *source++ = static_cast<int32_t>(EvenToken(a, static_cast<size_t>(order[i])));
  }
  for (size_t i = 0; i < odd_count; ++i) *source++ = static_cast<int32_t>(OddToken(a, i));
}

void MergeTokensRows(const MergeTokensArguments& arguments, size_t first, size_t last, const void* shared) {
  HWY_DYNAMIC_DISPATCH(MergeTokensRows)(arguments, first, last, shared);
}

void MergeTokensWeights(const MergeTokensArguments& a, const void* memory, float* weights) {
  const MergeTokensShared shared(a, memory);
  const auto size = [&](int32_t t) { return a.sizes == nullptr ? 1.0f : a.sizes[t]; };
  std::fill_n(weights, (a.T - a.merged) * a.T, 0.0f);
  for (size_t row = 0; row < a.T - a.merged; ++row, weights += a.T) {
    float sum = 0;
    for (int32_t t = shared.source[row]; t != kNone; t = shared.next[t]) sum += size(t);
    for (int32_t t = shared.source[row]; t != kNone; t = shared.next[t]) weights[t] = size(t) / sum;
  }
}

}  // namespace vitrine::kernels
#endif  // HWY_ONCE
