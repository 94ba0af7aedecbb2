// SPDX-License-Identifier: Apache-2.0
// Converts 32-bit logits to 8-bit probabilities, for kQueries queries (the lanes) and all keys. Included
// after attention_int8_pack-inl.h, for every instruction set, so without an include guard.

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {
namespace {

constexpr size_t kQueryVectors = kLanes == 16 ? 1 : 2;
constexpr size_t kQueries = kLanes * kQueryVectors;

// The rounding error is carried from key to key: a probability of 16 bits, plus the carry, gives its upper 8
// bits; the lower 8 bits are the next carry. The sum over all keys is then exact to one step.
constexpr int kHalfStep = 128;

// The largest probability. Plain NEON adds products in 16 bits, so probabilities have 7 bits there.
constexpr int kLargest = kGroup == 16 ? 127 : 255;

#if HWY_TARGET_IS_NEON

/// The largest probability times 2^(i / 32 - 1), with 8 fraction bits, in two tables of bytes.
struct PowerTable {
  uint8_t low[32], high[32];
};
constexpr PowerTable MakePowerTable() {
  PowerTable table = {};
  double power = kLargest * 128;
  for (int i = 0; i < 32; ++i, power *= 1.0218971486541166782) {  // 2^(1/32)
    const int rounded = static_cast<int>(power + 0.5);
    table.low[i] = static_cast<uint8_t>(rounded & 255);
    table.high[i] = static_cast<uint8_t>(rounded >> 8);
  }
  return table;
}
constexpr PowerTable kPowerTable = MakePowerTable();

/// The scores of 8 queries: 16 bits, in units of log2 with 8 fraction bits.
class Softmax {
 public:
  /// `scales` has the scale of each query. `size_log2` is that of the keys, or null. Scores saturate at
  /// +-128, which is 88 from the mean score of a row in units of e.
  HWY_INLINE Softmax(const float* scales, const PackedHead& head, const float* size_log2, int32_t* scores)
      : scores_(reinterpret_cast<int16_t*>(scores)),
        groups_(scores),
        fraction_(head.key_fraction),
        size_log2_(size_log2) {
    const float unit = *head.largest_key_scale * kLog2E * 256.0f * 2147483648.0f;
    for (size_t q = 0; q < 8; ++q) {
      const float factor = scales[q] * unit;
      factor_[q] = factor < 2147483520.0f ? static_cast<int32_t>(factor) : 2147483520;
    }
    max_ = vdupq_n_s16(-32768);
  }

  /// Adds the products of the queries with kScalars keys, the first of them `t`. Keys after the last one are
  /// zero. The mean of all scores is zero too, so they cannot exceed the largest score; sizes only make it
  /// larger.
  template <class Sums>
  HWY_INLINE void AddKeys(const Sums& sums, size_t t) {
    const int32x4_t low = vld1q_s32(factor_), high = vld1q_s32(factor_ + 4);
    int16_t* scores = scores_ + t * 8;
    const int16x8_t fraction = vld1q_s16(fraction_ + t);
    const auto add = [&](auto has_sizes, int16x8_t sizes) HWY_ATTR {
      Unroll<kScalars>([&](auto j) HWY_ATTR {
        const int32x4_t a = vqrdmulhq_s32(sums.v[j][0].raw, low), b = vqrdmulhq_s32(sums.v[j][1].raw, high);
        int16x8_t score =
            vqrdmulhq_lane_s16(vcombine_s16(vqmovn_s32(a), vqmovn_s32(b)), Half<j / 4>(fraction), j % 4);
        if constexpr (has_sizes) score = vqaddq_s16(score, vdupq_lane_s16(Half<j / 4>(sizes), j % 4));
        vst1q_s16(scores + j * 8, score);
        max_ = vmaxq_s16(max_, score);
      });
    };
    if (size_log2_ == nullptr) {
      add(std::false_type(), fraction);
    } else {
      add(std::true_type(), ScoresOf(size_log2_ + t));
    }
  }

  /// Turns scores into groups of probabilities, in place, and writes 1 / their sums.
  HWY_INLINE void Finish(size_t T, float* factor) {
    // Scores after the last key become the smallest score; its probability is zero.
    for (size_t t = T; t < RoundUp(T, kGroup); ++t) vst1q_s16(scores_ + t * 8, vdupq_n_s16(-32768));
    const Table low(kPowerTable.low), high(kPowerTable.high);
    // Add 1 (256), so that the table needs no sign, and half a step of the table (4), to round.
    const int16x8_t base = vsubq_s16(max_, vdupq_n_s16(256 + 4));
    uint16x8_t low_byte = vdupq_n_u16(255), carry = vdupq_n_u16(kHalfStep);
    asm("" : "+w"(low_byte));  // otherwise GCC uses two instructions instead of one
    uint32x4_t sum[2] = {vdupq_n_u32(0), vdupq_n_u32(0)};
    const int16_t* scores = scores_;
    int32_t* groups = groups_;
    for (size_t t = 0; t < T; t += kGroup, scores += kGroup * 8, groups += 8 * kGroupWords) {
      VI left[kGroupWords], right[kGroupWords];
      Unroll<kGroupWords>([&](auto w) HWY_ATTR {
        int16x8_t x[4];
        uint16x8_t p[4];
        Unroll<4>([&](auto i) HWY_ATTR { x[i] = vqsubq_s16(vld1q_s16(scores + (4 * w + i) * 8), base); });
        Unroll<2>([&](auto i)
                      HWY_ATTR { LookUp(low, high, x[2 * i], x[2 * i + 1], p[2 * i], p[2 * i + 1]); });
        Unroll<4>([&](auto i) HWY_ATTR {
          p[i] = vqaddq_u16(p[i], carry);
          carry = vandq_u16(p[i], low_byte);
        });
        const uint16x8x2_t word = vzipq_u16(HighBytes(p[0], p[1]), HighBytes(p[2], p[3]));
        Unroll<2>([&](auto i) HWY_ATTR { sum[i] = AddBytes(sum[i], vreinterpretq_u8_u16(word.val[i])); });
        left[w] = VI(vreinterpretq_s32_u16(word.val[0]));
        right[w] = VI(vreinterpretq_s32_u16(word.val[1]));
      });
      WordsToGroups(left);
      WordsToGroups(right);
      Unroll<kGroupWords>([&](auto w) HWY_ATTR {
        hn::StoreU(left[w], kI32, groups + w * 4);
        hn::StoreU(right[w], kI32, groups + (kGroupWords + w) * 4);
      });
    }
    Unroll<2>([&](auto i) HWY_ATTR {
      hn::StoreU(hn::Div(hn::Set(kF32, 1.0f), VF(vcvtq_f32_u32(sum[i]))), kF32, factor + i * 4);
    });
  }

 private:
  struct Table {
#if HWY_ARCH_ARM_A64
    uint8x16x2_t t;

    HWY_INLINE explicit Table(const uint8_t* p) : t{vld1q_u8(p), vld1q_u8(p + 16)} {}
    HWY_INLINE uint8x16_t operator[](uint8x16_t index) const { return vqtbl2q_u8(t, index); }
#else
    uint8x8x4_t t;

    HWY_INLINE explicit Table(const uint8_t* p)
        : t{vld1_u8(p), vld1_u8(p + 8), vld1_u8(p + 16), vld1_u8(p + 24)} {}
    HWY_INLINE uint8x16_t operator[](uint8x16_t index) const {
      return vcombine_u8(vtbl4_u8(t, vget_low_u8(index)), vtbl4_u8(t, vget_high_u8(index)));
    }
#endif
  };

  /// Sets the powers to 2^x for two vectors of x with 8 fraction bits, in units of 1 / 256 of a probability.
  static HWY_INLINE void LookUp(const Table& low, const Table& high, int16x8_t a, int16x8_t b,
                                uint16x8_t& power_a, uint16x8_t& power_b) {
    const uint8x16_t fraction = vtrnq_u8(vreinterpretq_u8_s16(a), vreinterpretq_u8_s16(b)).val[0];
    const uint8x16_t index = vshrq_n_u8(fraction, 3);
    const uint8x16x2_t power = vtrnq_u8(low[index], high[index]);
    power_a = vqshlq_u16(vreinterpretq_u16_u8(power.val[0]), vshrq_n_s16(a, 8));
    power_b = vqshlq_u16(vreinterpretq_u16_u8(power.val[1]), vshrq_n_s16(b, 8));
  }
  template <int kUpper>
  static HWY_INLINE int16x4_t Half(int16x8_t v) {
    return kUpper ? vget_high_s16(v) : vget_low_s16(v);
  }
  /// Returns 8 logarithms, each at least 0, in the units of the scores.
  static HWY_INLINE int16x8_t ScoresOf(const float* log2) {
    const auto rounded = [](const float* p) HWY_ATTR {
      return vqmovn_s32(vcvtq_s32_f32(vmlaq_n_f32(vdupq_n_f32(0.5f), vld1q_f32(p), 256.0f)));
    };
    return vcombine_s16(rounded(log2), rounded(log2 + 4));
  }
  static HWY_INLINE uint16x8_t HighBytes(uint16x8_t a, uint16x8_t b) {
    return vreinterpretq_u16_u8(vtrnq_u8(vreinterpretq_u8_u16(a), vreinterpretq_u8_u16(b)).val[1]);
  }
  static HWY_INLINE uint32x4_t AddBytes(uint32x4_t sum, uint8x16_t bytes) {
#if defined(__ARM_FEATURE_DOTPROD)
    return vdotq_u32(sum, bytes, vdupq_n_u8(1));
#else
    return vpadalq_u16(sum, vpaddlq_u8(bytes));
#endif
  }

  int16_t* scores_;
  int32_t* groups_;
  const int16_t* fraction_;
  const float* size_log2_;
  int32_t factor_[8];
  int16x8_t max_;
};

#else

/// The scores of kQueries queries: f32, in units of log2.
class Softmax {
 public:
  HWY_INLINE Softmax(const float* scales, const PackedHead& head, const float* size_log2, int32_t* scores)
      : scores_(reinterpret_cast<float*>(scores)),
        groups_(scores),
        scale_(head.key_scale),
        size_log2_(size_log2) {
    factor_ = hn::Mul(hn::LoadU(kF32, scales), hn::Set(kF32, kLog2E));
    max_ = hn::Set(kF32, hwy::LowestValue<float>());
  }

  template <class Sums>
  HWY_INLINE void AddKeys(const Sums& sums, size_t t) {
    Unroll<kScalars>([&](auto j) HWY_ATTR {
      const VF factor = hn::Mul(factor_, hn::Set(kF32, scale_[t + j]));
      VF score = hn::Mul(hn::ConvertTo(kF32, sums.v[j][0]), factor);
      if (size_log2_ != nullptr) score = hn::Add(score, hn::Set(kF32, size_log2_[t + j]));
      hn::StoreU(score, kF32, scores_ + (t + j) * kQueries);
      max_ = hn::Max(max_, score);
    });
  }

  HWY_INLINE void Finish(size_t T, float* factor) {
    VI carry = hn::Set(kI32, kHalfStep), sum = hn::Zero(kI32);
    const VF unit = hn::Set(kF32, kLargest * 256.0f / kPower2Unit);
    for (size_t t = 0; t < T; t += 4) {
      VI p[4];
      Unroll<4>([&](auto i) HWY_ATTR {
        p[i] = hn::Zero(kI32);
        if (t + i >= T) return;
        const VF x = hn::Sub(hn::LoadU(kF32, scores_ + (t + i) * kQueries), max_);
        const VF power = Power2(hn::Max(x, hn::Set(kF32, -126.0f)));
        p[i] = hn::Add(hn::ConvertTo(kI32, hn::Mul(power, unit)), carry);
        carry = hn::And(p[i], hn::Set(kI32, 255));
        p[i] = hn::ShiftRight<8>(p[i]);
        sum = hn::Add(sum, p[i]);
      });
      hn::StoreU(CombineBytes(p[0], p[1], p[2], p[3]), kI32, groups_ + t / 4 * kQueries);
    }
    hn::StoreU(hn::Div(hn::Set(kF32, 1.0f), hn::ConvertTo(kF32, sum)), kF32, factor);
  }

 private:
  float* scores_;
  int32_t* groups_;
  const float* scale_;
  const float* size_log2_;
  VF factor_, max_;
};

#endif

}  // namespace
}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
