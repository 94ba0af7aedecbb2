// SPDX-License-Identifier: Apache-2.0
// Int8 attention with the micro-kernel of f32 attention, where groups of bytes replace scalars and lanes.
// Included after highway.h, for every instruction set, so without an include guard. Everything has internal
// linkage, because ARM builds compile it for several CPUs.
#include "runtime/kernels/attention.h"
#include "runtime/kernels/rows-inl.h"
#include "runtime/kernels/exp-inl.h"
#include "runtime/kernels/outer_product-inl.h"
#include "runtime/kernels/byte_product-inl.h"
#include "runtime/kernels/attention_int8_layout-inl.h"
#include "runtime/kernels/attention_int8_pack-inl.h"
#include "runtime/kernels/attention_int8_softmax-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {
namespace {

/// Quantizes `rows` <= kQueries queries of one head into words; writes their scales.
HWY_FLATTEN void PackQueries(const float* query, size_t stride, size_t rows, size_t K,
                             const Int8Scratch& scratch, float* scales) {
  for (size_t r = 0; r < rows; ++r) {
    scales[r] = QuantizeSymmetric<false>(query + r * stride, nullptr, K, scratch.bytes + r * RoundUp(K, 16));
  }
  for (size_t r = rows; r < kQueries; ++r) scales[r] = 0;
  PackGroups(scratch.bytes, rows, K, kQueries, 0, scratch.query);
}

/// Sets bias to the amount that unsigned keys add to the products: 128 times the sum of each query.
HWY_INLINE void KeyBias(const int32_t* query, size_t groups, VI (&bias)[kQueryVectors]) {
  const int32_t flip[8] = {kKeyFlip, kKeyFlip, kKeyFlip, kKeyFlip, kKeyFlip, kKeyFlip, kKeyFlip, kKeyFlip};
  const auto sums = MultiplyBytes<true, kQueryVectors>(flip, 0, query, kQueries, groups);
  Unroll<kQueryVectors>([&](auto v) HWY_ATTR { bias[v] = sums.v[0][v]; });
}

/// Writes groups of probabilities to scratch.scores, and 1 / their sums to factor.
HWY_FLATTEN void Attend(const PackedHead& head, const float* scales, const float* size_log2, size_t T,
                        size_t K, const Int8Scratch& scratch, float* factor) {
  const size_t groups = Groups(K);
  Softmax softmax(scales, head, size_log2, scratch.scores);
  VI bias[kQueryVectors];
  if constexpr (kKeyFlip != 0) KeyBias(scratch.query, groups, bias);
  for (size_t t = 0; t < T; t += kScalars) {
    const int32_t* panel = head.keys + (t / kKeyPanel * kKeyPanel * groups + t % kKeyPanel) * kGroupWords;
    auto sums = MultiplyBytes<true, kQueryVectors>(panel, kKeyPanel, scratch.query, kQueries, groups);
    if constexpr (kKeyFlip != 0) {
      Unroll<kScalars * kQueryVectors>([&](auto i) HWY_ATTR {
        VI& sum = sums.v[i / kQueryVectors][i % kQueryVectors];
        sum = hn::Sub(sum, bias[i % kQueryVectors]);
      });
    }
    softmax.AddKeys(sums, t);
  }
  softmax.Finish(T, factor);
}

/// Sets out to probabilities * values for kCount vectors of columns.
template <size_t kCount, bool kWhole = true>
HWY_FLATTEN void MixColumns(const PackedHead& head, size_t column, size_t T, size_t K,
                            const int32_t* probabilities, const float* factor, size_t rows, float* out,
                            size_t out_stride, size_t lanes = kLanes) {
  const int32_t* values = head.values + column * kGroupWords;
  VF scale[kCount], offset[kCount];
  Unroll<kCount>([&](auto i) HWY_ATTR {
    scale[i] = hn::LoadU(kF32, head.value_scale + column + i * kLanes);
    offset[i] = hn::LoadU(kF32, head.value_offset + column + i * kLanes);
  });
  for (size_t q = 0; q < rows; q += kScalars) {
    const auto sums = MultiplyBytes<false, kCount>(probabilities + q * kGroupWords, kQueries, values,
                                                   RoundUp(K, 16), Groups(T));
    Unroll<kScalars * kCount>([&](auto i) HWY_ATTR {
      constexpr size_t j = i / kCount, c = i % kCount;
      const VF mix = hn::Mul(hn::ConvertTo(kF32, sums.v[j][c]), hn::Set(kF32, factor[q + j]));
      const VF v = hn::MulAdd(mix, scale[c], offset[c]);
      float* to = out + (q + j) * out_stride + c * kLanes;
      if constexpr (kWhole) {
        hn::StoreU(v, kF32, to);
      } else {
        hn::StoreN(v, kF32, to, lanes);
      }
    });
  }
}

void Mix(const PackedHead& head, size_t T, size_t K, const int32_t* probabilities, const float* factor,
         size_t rows, float* out, size_t stride) {
  size_t i = 0;
  for (; i + kVectors * kLanes <= K; i += kVectors * kLanes) {
    MixColumns<kVectors>(head, i, T, K, probabilities, factor, rows, out + i, stride);
  }
  for (; i + kLanes <= K; i += kLanes) {
    MixColumns<1>(head, i, T, K, probabilities, factor, rows, out + i, stride);
  }
  if (i < K) MixColumns<1, false>(head, i, T, K, probabilities, factor, rows, out + i, stride, K - i);
}

/// Writes kQueries rows of all heads in f32. Rows from `rows` on have no meaning.
void AttendRows(const AttentionArguments& a, void* packed, size_t first, size_t rows,
                const Int8Scratch& scratch, float* out, size_t stride) {
  float scales[kQueries], factor[kQueries];
  for (size_t head = 0; head < a.H; ++head) {
    const PackedHead packed_head(packed, head, a.T, a.K);
    const float* query = a.query + first * a.query_stride + head * a.K;
    PackQueries(query, a.query_stride, rows, a.K, scratch, scales);
    const float* size_log2 = a.size_log2 == nullptr ? nullptr : packed_head.size_log2;
    Attend(packed_head, scales, size_log2, a.T, a.K, scratch, factor);
    Mix(packed_head, a.T, a.K, scratch.scores, factor, rows, out + head * a.K, stride);
  }
}

void AttentionTile(const AttentionArguments& a, void* packed, size_t first, size_t last, void* memory) {
  const Int8Scratch scratch(memory, a.T, a.K);
  const size_t D = a.H * a.K;
  for (size_t row = first; row < last; row += kQueries) {
    const size_t rows = HWY_MIN(kQueries, last - row);
    if (a.out.type == RowType::kF32 && rows == kQueries) {
      float* out = static_cast<float*>(a.out.data) + row * a.out.stride;
      AttendRows(a, packed, row, rows, scratch, out, a.out.stride);
      continue;
    }
    AttendRows(a, packed, row, rows, scratch, scratch.output, D);
    for (size_t i = 0; i < rows; ++i) WriteRow(scratch.output + i * D, D, a.out, row + i);
  }
}

void PackHead(const AttentionArguments& a, size_t head, void* packed, void* memory) {
  const PackedHead packed_head(packed, head, a.T, a.K);
  PackKeys(a, head, packed_head, Int8Scratch(memory, a.T, a.K));
  PackValues(a, head, packed_head);
}

}  // namespace
}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
