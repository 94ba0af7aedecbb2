// SPDX-License-Identifier: Apache-2.0
// Products of bytes, summed in 32 bits: a block of kScalars rows by kCount vectors of columns at a time, by
// the byte multiplication of this CPU. Included after outer_product-inl.h, for every instruction set, so
// without an include guard.
//
// Operands are matrices of groups of kGroup bytes; one instruction multiplies a group by a group. Group g of
// row r is element g * width + r of [K / kGroup, width] groups.
//
//   AVX-512 VNNI   4   four products a lane; unsigned by signed
//   dot product    4   the same; both signed or both unsigned
//   i8mm           8   two rows by two columns per instruction; both signed or both unsigned
//   NEON          16   products of 16 bits, two of them added, then added in 32 bits; both signed,
//                      [-127, 127] by [-128, 127]

#if HWY_TARGET_IS_NEON && !defined(__ARM_FEATURE_DOTPROD)
#include "runtime/kernels/byte_product_neon-inl.h"
#endif

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {
namespace {

#if HWY_TARGET_IS_NEON && defined(__ARM_FEATURE_MATMUL_INT8)
constexpr size_t kGroup = 8;
#elif HWY_TARGET_IS_NEON && !defined(__ARM_FEATURE_DOTPROD)
constexpr size_t kGroup = 16;
#else
constexpr size_t kGroup = 4;
#endif
constexpr size_t kGroupWords = kGroup / 4;  // int32

/// Returns the number of groups for n bytes.
HWY_INLINE size_t Groups(size_t n) { return (n + kGroup - 1) / kGroup; }

template <size_t kCount>
struct ByteSums {
  HWY_INLINE ByteSums() {}
  VI v[kScalars][kCount];
};

#if HWY_TARGET_IS_NEON && defined(__ARM_FEATURE_MATMUL_INT8)

template <bool kSigned>
HWY_INLINE VI MatMulAdd(VI rows, VI columns, VI sum) {
  if constexpr (kSigned) {
    asm("smmla %0.4s, %1.16b, %2.16b" : "+w"(sum.raw) : "w"(rows.raw), "w"(columns.raw));
  } else {
    asm("ummla %0.4s, %1.16b, %2.16b" : "+w"(sum.raw) : "w"(rows.raw), "w"(columns.raw));
  }
  return sum;
}

/// Returns rows [kScalars, K] * columns [kCount * 4, K]^T.
template <bool kSigned, size_t kCount>
HWY_INLINE ByteSums<kCount> MultiplyBytes(const int32_t* HWY_RESTRICT rows, size_t row_width,
                                          const int32_t* HWY_RESTRICT columns, size_t column_width,
                                          size_t groups) {
  constexpr size_t kPairs = 2 * kCount;
  VI block[4][kPairs];  // two rows by two columns each
  Unroll<4 * kPairs>([&](auto i) HWY_ATTR { block[i / kPairs][i % kPairs] = hn::Zero(kI32); });
  for (size_t left = groups; left != 0; --left, rows += row_width * 2, columns += column_width * 2) {
    VI r[4], c[kPairs];
    LoadVectors(rows, r);
    LoadVectors(columns, c);
    Unroll<4 * kPairs>([&](auto i) HWY_ATTR {
      VI& sum = block[i / kPairs][i % kPairs];
      sum = MatMulAdd<kSigned>(r[i / kPairs], c[i % kPairs], sum);
    });
  }
  ByteSums<kCount> sums;
  Unroll<4 * kCount>([&](auto i) HWY_ATTR {
    constexpr size_t row = i / kCount, v = i % kCount;
    const hn::Repartition<int64_t, I32> d64;
    const auto left = hn::BitCast(d64, block[row][2 * v]), right = hn::BitCast(d64, block[row][2 * v + 1]);
    sums.v[2 * row][v] = hn::BitCast(kI32, hn::InterleaveLower(d64, left, right));
    sums.v[2 * row + 1][v] = hn::BitCast(kI32, hn::InterleaveUpper(d64, left, right));
  });
  return sums;
}

#elif HWY_TARGET_IS_NEON && !defined(__ARM_FEATURE_DOTPROD)

/// Returns rows [kScalars, K] * columns [kCount * 4, K]^T, both signed.
template <bool, size_t kCount>
HWY_INLINE ByteSums<kCount> MultiplyBytes(const int32_t* HWY_RESTRICT rows, size_t row_width,
                                          const int32_t* HWY_RESTRICT columns, size_t column_width,
                                          size_t groups) {
  int32_t products[kScalars][kCount * 4];
  for (size_t first = 0; first < kScalars; first += kBlock) {
    for (size_t v = 0; v < kCount; ++v) {
      MultiplyBlock(reinterpret_cast<const uint8_t*>(rows + first * 4), row_width * 16,
                    reinterpret_cast<const uint8_t*>(columns + v * 16), column_width * 16, groups,
                    &products[first][v * 4], sizeof products[0]);
    }
  }
  ByteSums<kCount> sums;
  Unroll<kScalars * kCount>([&](auto i) HWY_ATTR {
    sums.v[i / kCount][i % kCount] = hn::LoadU(kI32, &products[i / kCount][i % kCount * 4]);
  });
  return sums;
}

#else

#if HWY_TARGET_IS_NEON
template <bool kSigned>
struct DotProduct {
  using T = int32_t;
  using V = VI;
  struct Scalars {
    V v[kScalars / 4];

    HWY_INLINE explicit Scalars(const int32_t* p) { LoadVectors(p, v); }
  };
  template <size_t kLane>
  static HWY_INLINE V MulAdd(const Scalars& s, V a, V sum) {
    const VI b = s.v[kLane / 4];
    if constexpr (kSigned) {
      asm("sdot %0.4s, %1.16b, %2.4b[%3]" : "+w"(sum.raw) : "w"(a.raw), "w"(b.raw), "i"(kLane % 4));
    } else {
      asm("udot %0.4s, %1.16b, %2.4b[%3]" : "+w"(sum.raw) : "w"(a.raw), "w"(b.raw), "i"(kLane % 4));
    }
    return sum;
  }
};
#else
template <bool>
struct DotProduct {
  using T = int32_t;
  using V = VI;
  using Scalars = const int32_t*;
  template <size_t kLane>
  static HWY_INLINE V MulAdd(const Scalars& s, V a, V sum) {
    // With the intrinsic, GCC 12 copies accumulators back and forth and keeps some in memory.
    asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(hn::Set(kI32, s[kLane]).raw), "v"(a.raw));
    return sum;
  }
};
#endif

template <bool kSigned, size_t kCount>
HWY_INLINE Sums<DotProduct<kSigned>, kCount> MultiplyBytes(const int32_t* HWY_RESTRICT rows, size_t row_width,
                                                           const int32_t* HWY_RESTRICT columns,
                                                           size_t column_width, size_t groups) {
  return SumOfOuterProducts<DotProduct<kSigned>, kCount>(rows, row_width, columns, column_width, groups);
}

#endif

/// Reorders kGroupWords vectors of words, one vector for each four bytes of a group, into whole groups one
/// after the other.
HWY_INLINE void WordsToGroups(VI (&v)[kGroupWords]) {
  if constexpr (kGroupWords == 2) {
    const VI a = v[0], b = v[kGroupWords - 1];
    v[0] = hn::InterleaveLower(kI32, a, b);
    v[kGroupWords - 1] = hn::InterleaveUpper(kI32, a, b);
  } else if constexpr (kGroupWords == 4) {
    const VI ac_low = hn::InterleaveLower(kI32, v[0], v[2]), ac_high = hn::InterleaveUpper(kI32, v[0], v[2]);
    const VI bd_low = hn::InterleaveLower(kI32, v[1], v[3]), bd_high = hn::InterleaveUpper(kI32, v[1], v[3]);
    v[0] = hn::InterleaveLower(kI32, ac_low, bd_low), v[1] = hn::InterleaveUpper(kI32, ac_low, bd_low);
    v[2] = hn::InterleaveLower(kI32, ac_high, bd_high), v[3] = hn::InterleaveUpper(kI32, ac_high, bd_high);
  }
}

/// Writes bytes [rows, K], each row padded with zeros to a multiple of 16, as groups [K / kGroup, width],
/// with zeros for the missing rows. Every word is combined with `flip` by exclusive or (kGroup = 4 only).
HWY_INLINE void PackGroups(const int8_t* bytes, size_t rows, size_t K, size_t width, int32_t flip,
                           int32_t* groups) {
  const size_t stride = (K + 15) / 16 * 4;
  const int32_t* words = reinterpret_cast<const int32_t*>(bytes);
  if constexpr (kGroup == 4) {
    PackTransposed(words, stride, rows, (K + 3) / 4, width, groups,
                   [=](auto v) HWY_ATTR { return hn::Xor(v, hn::Set(hn::DFromV<decltype(v)>(), flip)); });
    return;
  }
  // One 16-byte column of the rows at a time: unchanged, or with halves exchanged between two rows.
  const hn::FixedTag<int64_t, 2> d64;
  int64_t* out = reinterpret_cast<int64_t*>(groups);
  for (size_t k = 0; k < K; k += 16, words += 4, out += 2 * width) {
    for (size_t r = 0; r < width; r += 2) {
      const auto row = [&](size_t i) HWY_ATTR {
        return i < rows ? hn::LoadU(d64, reinterpret_cast<const int64_t*>(words + i * stride))
                        : hn::Zero(d64);
      };
      const auto a = row(r), b = row(r + 1);
      if constexpr (kGroup == 8) {
        hn::StoreU(hn::InterleaveLower(d64, a, b), d64, out + r);
        hn::StoreU(hn::InterleaveUpper(d64, a, b), d64, out + width + r);
      } else {
        hn::StoreU(a, d64, out + 2 * r);
        hn::StoreU(b, d64, out + 2 * r + 2);
      }
    }
  }
}

}  // namespace
}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
