// SPDX-License-Identifier: Apache-2.0
// Quantizes queries, keys and values of one head to groups of bytes. Included after byte_product-inl.h, for
// every instruction set, so without an include guard.

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {
namespace {

// VNNI multiplies unsigned by signed bytes: the broadcast operands (keys, probabilities) are unsigned, the
// vectors (queries, values) are signed. ARM multiplies operands of the same sign: keys and queries are
// signed, probabilities and values are unsigned. On plain NEON, where probabilities have 7 bits, all are
// signed.
constexpr int32_t kUpperBits = static_cast<int32_t>(0x80808080);
#if HWY_TARGET_IS_NEON
constexpr int32_t kKeyFlip = 0, kValueFlip = kGroup == 16 ? kUpperBits : 0;
#else
constexpr int32_t kKeyFlip = kUpperBits, kValueFlip = kUpperBits;
#endif
constexpr float kValueBias = kValueFlip != 0 ? 128 : 0;

constexpr float kSmallestRange = 1e-30f;

/// Returns x - mean, or x when kMean = false.
template <bool kMean, bool kWhole>
HWY_INLINE VF LoadCentered(const float* x, const float* mean, size_t lanes) {
  const VF v = Load<kWhole>(x, lanes);
  return kMean ? hn::Sub(v, hn::LoadU(kF32, mean)) : v;
}

template <bool kMean>
HWY_INLINE float LargestMagnitude(const float* x, const float* mean, size_t n) {
  VF a = hn::Zero(kF32), b = a;
  size_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    Unroll<4>([&](auto v) HWY_ATTR {
      const VF magnitude =
          hn::Abs(LoadCentered<kMean, true>(x + i + v * kLanes, mean + i + v * kLanes, kLanes));
      VF& largest = v % 2 == 0 ? a : b;
      largest = hn::Max(largest, magnitude);
    });
  }
  for (; i + kLanes <= n; i += kLanes) {
    a = hn::Max(a, hn::Abs(LoadCentered<kMean, true>(x + i, mean + i, kLanes)));
  }
  if (i < n) a = hn::Max(a, hn::Abs(LoadCentered<kMean, false>(x + i, mean + i, n - i)));
  return hn::ReduceMax(kF32, hn::Max(a, b));
}

/// Writes x - mean (x when kMean = false) as int8 in [-127, 127], and zeros up to a multiple of 16; returns
/// the scale. mean has zeros up to a multiple of 16.
template <bool kMean>
HWY_INLINE float QuantizeSymmetric(const float* x, const float* mean, size_t n, int8_t* out) {
  const float largest = LargestMagnitude<kMean>(x, mean, n);
  const bool is_zero = !(largest > kSmallestRange);
  const BytesOfRange<false> bytes_of(0.0f, is_zero ? 0.0f : 127.0f / largest, 0.0f);
  size_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    VI v[4];
    Unroll<4>([&](auto j) HWY_ATTR {
      v[j] = bytes_of(LoadCentered<kMean, true>(x + i + j * kLanes, mean + i + j * kLanes, kLanes));
    });
    StoreBytes(v[0], v[1], v[2], v[3], out + i);
  }
  if (i < n) {
    for (; i + kLanes <= n; i += kLanes) {
      StoreBytesN(bytes_of(LoadCentered<kMean, true>(x + i, mean + i, kLanes)), out + i, kLanes);
    }
    if (i < n) StoreBytesN(bytes_of(LoadCentered<kMean, false>(x + i, mean + i, n - i)), out + i, n - i);
    for (i = n; i % 16 != 0; ++i) out[i] = 0;
  }
  return is_zero ? 0.0f : largest * (1.0f / 127.0f);
}

/// Sets mean[i] to the mean of x[t, i] over t, for kCount vectors of columns.
template <size_t kCount, bool kWhole = true>
HWY_INLINE void MeanOfColumns(const float* x, size_t stride, size_t T, size_t lanes, float* mean) {
  VF sum[kCount];
  Unroll<kCount>([&](auto i) HWY_ATTR { sum[i] = hn::Zero(kF32); });
  for (size_t t = 0; t < T; ++t, x += stride) {
    Unroll<kCount>([&](auto i) HWY_ATTR { sum[i] = hn::Add(sum[i], Load<kWhole>(x + i * kLanes, lanes)); });
  }
  const VF factor = hn::Set(kF32, 1.0f / static_cast<float>(T));
  Unroll<kCount>([&](auto i) HWY_ATTR { hn::StoreU(hn::Mul(sum[i], factor), kF32, mean + i * kLanes); });
}

/// The same for K columns, with zeros up to a multiple of the vector.
HWY_FLATTEN void MeanOfRows(const float* x, size_t stride, size_t T, size_t K, float* mean) {
  size_t i = 0;
  for (; i + 4 * kLanes <= K; i += 4 * kLanes) MeanOfColumns<4>(x + i, stride, T, kLanes, mean + i);
  for (; i + kLanes <= K; i += kLanes) MeanOfColumns<1>(x + i, stride, T, kLanes, mean + i);
  if (i < K) MeanOfColumns<1, false>(x + i, stride, T, K - i, mean + i);
}

void PackKeys(const AttentionArguments& a, size_t head, const PackedHead& packed,
              const Int8Scratch& scratch) {
  const float* key = a.key + head * a.K;
  MeanOfRows(key, a.key_stride, a.T, a.K, scratch.mean);
  const size_t panel_words = Groups(a.K) * kKeyPanel * kGroupWords;
  float largest = 0;
  for (size_t t = 0; t < a.T; t += kKeyPanel) {
    const size_t rows = HWY_MIN(kKeyPanel, a.T - t);
    for (size_t r = 0; r < rows; ++r) {
      const float* row = key + (t + r) * a.key_stride;
      const float scale =
          QuantizeSymmetric<true>(row, scratch.mean, a.K, scratch.bytes + r * RoundUp(a.K, 16));
      packed.key_scale[t + r] = scale;
      largest = scale > largest ? scale : largest;
    }
    PackGroups(scratch.bytes, rows, a.K, kKeyPanel, kKeyFlip, packed.keys + t / kKeyPanel * panel_words);
  }
  *packed.largest_key_scale = largest;
  for (size_t t = 0; t < RoundUp(a.T, kKeyPanel); ++t) {
    const float fraction = t < a.T && largest > 0 ? packed.key_scale[t] / largest * 32767.0f : 0.0f;
    packed.key_fraction[t] = fraction <= 32767.0f ? static_cast<int16_t>(fraction + 0.5f) : int16_t{0};
    if (t >= a.T) packed.key_scale[t] = 0;
    if (a.size_log2 != nullptr) packed.size_log2[t] = t < a.T ? a.size_log2[t] : 0.0f;
  }
}

/// Returns words of the low bytes of four vectors.
HWY_INLINE VI CombineBytes(VI a, VI b, VI c, VI d) {
#if HWY_TARGET_IS_NEON
  return VI(vsliq_n_s32(vsliq_n_s32(vsliq_n_s32(a.raw, b.raw, 8), c.raw, 16), d.raw, 24));
#else
  return hn::Or(hn::Or(a, hn::ShiftLeft<8>(b)), hn::Or(hn::ShiftLeft<16>(c), hn::ShiftLeft<24>(d)));
#endif
}

/// Maps kCount vectors of columns to bytes in [0, 254]: value = byte * step + low.
template <size_t kCount>
struct ValueBytes {
  VF inverse[kCount], rounder[kCount];

  HWY_INLINE ValueBytes() {}

  /// Returns words of four rows, the first at x. With a stride of 0 all four are the same row.
  template <bool kWhole>
  HWY_INLINE VI Word(const float* x, size_t stride, size_t lanes, size_t i) const {
    x += i * kLanes;
    const VI a = Byte<kWhole>(x, lanes, i), b = Byte<kWhole>(x + stride, lanes, i);
    const VI c = Byte<kWhole>(x + 2 * stride, lanes, i), d = Byte<kWhole>(x + 3 * stride, lanes, i);
    return hn::Xor(CombineBytes(a, b, c, d), hn::Set(kI32, kValueFlip));
  }

 private:
  template <bool kWhole>
  HWY_INLINE VI Byte(const float* x, size_t lanes, size_t i) const {
    return RoundToBits(hn::MulAdd(Load<kWhole>(x, lanes), inverse[i], rounder[i]));
  }
};

template <size_t kCount, bool kWhole>
HWY_INLINE ValueBytes<kCount> ValueBytesOf(const float* x, size_t stride, size_t T, size_t lanes,
                                           float* scale, float* offset) {
  VF min[kCount], max[kCount];
  Unroll<kCount>([&](auto i) HWY_ATTR {
    min[i] = EmptyRange().min;
    max[i] = EmptyRange().max;
  });
  for (size_t t = 0; t < T; ++t, x += stride) {
    Unroll<kCount>([&](auto i) HWY_ATTR {
      const VF v = Load<kWhole>(x + i * kLanes, lanes);
      min[i] = hn::Min(min[i], v);
      max[i] = hn::Max(max[i], v);
    });
  }
  ValueBytes<kCount> bytes;
  Unroll<kCount>([&](auto i) HWY_ATTR {
    const VF width = hn::Sub(max[i], min[i]), steps = hn::Set(kF32, 254.0f);
    const auto is_constant = hn::Not(hn::Gt(width, hn::Set(kF32, kSmallestRange)));
    const VF inverse = hn::IfThenZeroElse(is_constant, hn::Div(steps, width));
    const VF step = hn::IfThenZeroElse(is_constant, hn::Div(width, steps));
    const VF zero = hn::Round(hn::Mul(min[i], inverse));
    const VF low = hn::IfThenElse(is_constant, min[i], hn::Mul(zero, step));
    hn::StoreU(step, kF32, scale + i * kLanes);
    hn::StoreU(hn::MulAdd(step, hn::Set(kF32, kValueBias), low), kF32, offset + i * kLanes);
    bytes.inverse[i] = inverse;
    bytes.rounder[i] = hn::Sub(hn::Set(kF32, kRounder), zero);
  });
  return bytes;
}

/// Packs kCount vectors of columns, or one with fewer lanes (kWhole = false).
template <size_t kCount, bool kWhole = true>
HWY_INLINE void PackValueColumns(const float* x, size_t stride, size_t T, size_t width,
                                 const PackedHead& packed, size_t column, size_t lanes = kLanes) {
  const auto bytes = ValueBytesOf<kCount, kWhole>(x, stride, T, lanes, packed.value_scale + column,
                                                  packed.value_offset + column);
  int32_t* groups = packed.values + column * kGroupWords;
  const auto store = [&](VI(&words)[kGroupWords], size_t i) HWY_ATTR {
    WordsToGroups(words);
    Unroll<kGroupWords>(
        [&](auto w) HWY_ATTR { hn::StoreU(words[w], kI32, groups + (i * kGroupWords + w) * kLanes); });
  };
  size_t t = 0;
  for (; t + kGroup <= T; t += kGroup, x += kGroup * stride, groups += width * kGroupWords) {
    Unroll<kCount>([&](auto i) HWY_ATTR {
      VI words[kGroupWords];
      Unroll<kGroupWords>([&](auto w) HWY_ATTR {
        words[w] = bytes.template Word<kWhole>(x + 4 * w * stride, stride, lanes, i);
      });
      store(words, i);
    });
  }
  if (t == T) return;
  // The last group has fewer rows. The probabilities of the missing rows are zero.
  Unroll<kCount>([&](auto i) HWY_ATTR {
    VI words[kGroupWords];
    Unroll<kGroupWords>([&](auto w) HWY_ATTR {
      words[w] = hn::Zero(kI32);
      for (size_t r = 0; r < 4 && t + 4 * w + r < T; ++r) {
        const VI row = bytes.template Word<kWhole>(x + (4 * w + r) * stride, 0, lanes, i);
        words[w] = hn::Or(words[w], hn::And(row, hn::Set(kI32, static_cast<int32_t>(0xFFu << (8 * r)))));
      }
    });
    store(words, i);
  });
}

HWY_FLATTEN void PackValues(const AttentionArguments& a, size_t head, const PackedHead& packed) {
  const size_t width = RoundUp(a.K, 16);
  const float* value = a.value + head * a.K;
  size_t i = 0;
  for (; i + 2 * kLanes <= a.K; i += 2 * kLanes) {
    PackValueColumns<2>(value + i, a.value_stride, a.T, width, packed, i);
  }
  for (; i + kLanes <= a.K; i += kLanes) {
    PackValueColumns<1>(value + i, a.value_stride, a.T, width, packed, i);
  }
  if (i < a.K) PackValueColumns<1, false>(value + i, a.value_stride, a.T, width, packed, i, a.K - i);
}

}  // namespace
}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
