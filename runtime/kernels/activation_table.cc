// SPDX-License-Identifier: Apache-2.0
// Looks up bytes in a table of 256: in 4 steps of 64 entries on 64-bit ARM, in 8 of 32 on 32-bit ARM, in 2 of
// 128 with AVX-512 VBMI, and in 16 of 16 elsewhere. ExactActivation() computes the entries of such a table.
#include "runtime/kernels/activation_rows.h"

#include <cmath>
#include <numbers>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/activation_table.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

#if HWY_ARCH_ARM
#include <arm_neon.h>
#endif

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_ARCH_ARM_A64 && HWY_TARGET_IS_NEON

/// Looks up 16 bytes, in a quarter of the table at a time. An index outside the quarter leaves its byte
/// unchanged.
struct Table {
  static constexpr size_t kBytes = 16;
  uint8x16x4_t quarters[4];

  HWY_INLINE explicit Table(const uint8_t* table) {
    for (int i = 0; i < 4; ++i) quarters[i] = vld1q_u8_x4(table + 64 * i);
  }
  HWY_INLINE void Look(const uint8_t* x, uint8_t* out) const {
    const uint8x16_t quarter = vdupq_n_u8(64);
    uint8x16_t index = veorq_u8(vld1q_u8(x), vdupq_n_u8(0x80));
    uint8x16_t found = vqtbl4q_u8(quarters[0], index);
    for (int i = 1; i < 4; ++i) {
      index = vsubq_u8(index, quarter);
      found = vqtbx4q_u8(found, quarters[i], index);
    }
    vst1q_u8(out, found);
  }
};

#elif HWY_ARCH_ARM && HWY_TARGET_IS_NEON

/// Looks up 32 bytes, in an eighth of the table at a time, which is loaded each time.
struct Table {
  static constexpr size_t kBytes = 32;
  const uint8_t* table;

  HWY_INLINE explicit Table(const uint8_t* table) : table(table) {}
  HWY_INLINE void Look(const uint8_t* x, uint8_t* out) const {
    const uint8x8_t sign = vdup_n_u8(0x80), eighth = vdup_n_u8(32);
    uint8x8_t index[4], found[4];
    for (int i = 0; i < 4; ++i) {
      index[i] = veor_u8(vld1_u8(x + 8 * i), sign);
      found[i] = vdup_n_u8(0);
    }
    for (int part = 0; part < 8; ++part) {
      const uint8_t* t = table + 32 * part;
      const uint8x8x4_t values = {{vld1_u8(t), vld1_u8(t + 8), vld1_u8(t + 16), vld1_u8(t + 24)}};
      for (int i = 0; i < 4; ++i) {
        found[i] = vtbx4_u8(found[i], values, index[i]);
        index[i] = vsub_u8(index[i], eighth);
      }
    }
    for (int i = 0; i < 4; ++i) vst1_u8(out + 8 * i, found[i]);
  }
};

#elif HWY_TARGET <= HWY_AVX3_DL && HWY_ARCH_X86

/// Looks up 64 bytes: the lower seven bits in both halves of the table, then the eighth bit selects the half.
struct Table {
  static constexpr size_t kBytes = 64;
  using U8 = hn::FixedTag<uint8_t, kBytes>;
  hn::Vec<U8> parts[4];

  HWY_INLINE explicit Table(const uint8_t* table) {
    for (size_t i = 0; i < 4; ++i) parts[i] = hn::LoadU(U8(), table + kBytes * i);
  }
  HWY_INLINE void Look(const uint8_t* x, uint8_t* out) const {
    const U8 d;
    const auto bytes = hn::LoadU(d, x);
    const auto index = hn::IndicesFromVec(d, hn::And(bytes, hn::Set(d, 127)));
    const auto lower = hn::TwoTablesLookupLanes(d, parts[0], parts[1], index);
    const auto upper = hn::TwoTablesLookupLanes(d, parts[2], parts[3], index);
    const auto negative = hn::Ge(bytes, hn::Set(d, 128));  // negative int8 values are in the lower half
    hn::StoreU(hn::IfThenElse(negative, lower, upper), d, out);
  }
};

#else

/// Looks up a vector, in 16 entries of the table at a time. An index outside them gives zero.
struct Table {
  using U8 = hn::ScalableTag<uint8_t>;
  static constexpr size_t kBytes = hn::MaxLanes(U8());
  const uint8_t* table;

  HWY_INLINE explicit Table(const uint8_t* table) : table(table) {}
  HWY_INLINE void Look(const uint8_t* x, uint8_t* out) const {
    if constexpr (kBytes < 16) {
      for (size_t i = 0; i < kBytes; ++i) out[i] = table[x[i] ^ 0x80];
    } else {
      const U8 d;
      // After adding 0x70 with saturation, an index of 16 or above has its highest bit set.
      auto index = hn::Xor(hn::LoadU(d, x), hn::Set(d, 0x80));
      auto found = hn::Zero(d);
      for (size_t part = 0; part < 16; ++part) {
        const auto values = hn::LoadDup128(d, table + 16 * part);
        const auto place = hn::SaturatedAdd(index, hn::Set(d, 0x70));
        found = hn::Or(found, hn::TableLookupBytesOr0(values, place));
        index = hn::Sub(index, hn::Set(d, 16));
      }
      hn::StoreU(found, d, out);
    }
  }
};

#endif

}  // namespace

void TableBytes(const int8_t* x, size_t n, const int8_t* table, int8_t* out) {
  const auto* from = reinterpret_cast<const uint8_t*>(x);
  const auto* entries = reinterpret_cast<const uint8_t*>(table);
  auto* to = reinterpret_cast<uint8_t*>(out);
  size_t i = 0;
  if (n >= Table::kBytes) {
    const Table vectors(entries);
    for (; i + Table::kBytes <= n; i += Table::kBytes) vectors.Look(from + i, to + i);
  }
  for (; i < n; ++i) to[i] = entries[from[i] ^ 0x80];
}

}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::kernels {

HWY_EXPORT(TableBytes);

double ExactActivation(Activation activation, double x) {
  switch (activation) {
    case Activation::kIdentity:
      return x;
    case Activation::kGeluErf:
      return 0.5 * x * std::erfc(-x * std::numbers::sqrt2 / 2);
    case Activation::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Activation::kQuickGelu:
      return x / (1 + std::exp(-1.702 * x));
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
    case Activation::kRelu:
      return x < 0 ? 0 : x;
    case Activation::kTanh:
      return std::tanh(x);
  }
  return x;
}

void TableBytes(const int8_t* x, size_t n, const int8_t* table, int8_t* out) {
  HWY_DYNAMIC_DISPATCH(TableBytes)(x, n, table, out);
}

}  // namespace vitrine::kernels
#endif  // HWY_ONCE
