// SPDX-License-Identifier: Apache-2.0
// Queries, keys and values of one head become words of four int8. Included after outer_product-inl.h, once for every
// instruction set, hence no guard.

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {
namespace {

// VNNI multiplies unsigned by signed bytes: what is broadcast (keys, probabilities) is unsigned, the vectors (queries, values)
// are signed. ARM's dot products multiply like with like: keys and queries signed, probabilities and values unsigned.
#if HWY_TARGET_IS_NEON
constexpr int32_t kKeyFlip = 0, kValueFlip = 0;
constexpr float kValueBias = 0;
#else
constexpr int32_t kKeyFlip = static_cast<int32_t>(0x80808080), kValueFlip = static_cast<int32_t>(0x80808080);
constexpr float kValueBias = 128;
#endif

constexpr float kSmallestRange = 1e-30f;

/// Writes x - mean (x alone where kMean = false) as int8 in [-127, 127] and zeros up to a multiple of 16; returns the scale.
template <bool kMean>
HWY_INLINE float QuantizeSymmetric(const float* x, const float* mean, size_t n, int8_t* out) {
  VF largest = hn::Zero(kF32);
  const auto load = [&](size_t i) HWY_ATTR {
    const VF v = i + kLanes <= n ? hn::LoadU(kF32, x + i) : hn::LoadN(kF32, x + i, n - i);
    return kMean ? hn::Sub(v, hn::LoadU(kF32, mean + i)) : v;
  };
  for (size_t i = 0; i < n; i += kLanes) largest = hn::Max(largest, hn::Abs(load(i)));
  const float max = hn::ReduceMax(kF32, largest);
  const bool is_zero = !(max > kSmallestRange);
  const BytesOfRange<false> bytes_of(0.0f, is_zero ? 0.0f : 127.0f / max, 0.0f);
  size_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    StoreBytes(bytes_of(load(i)), bytes_of(load(i + kLanes)), bytes_of(load(i + 2 * kLanes)),
               bytes_of(load(i + 3 * kLanes)), out + i);
  }
  for (; i < n; i += kLanes) StoreBytesN(bytes_of(load(i)), out + i, HWY_MIN(kLanes, n - i));
  for (i = n; i % 16 != 0; ++i) out[i] = 0;
  return is_zero ? 0.0f : max / 127.0f;
}

/// Turns quantized rows [rows, K] into words [K / 4, width].
HWY_INLINE void PackWords(const int8_t* bytes, size_t rows, size_t K, size_t width, int32_t flip, int32_t* words) {
  const size_t stride = RoundUp(K, 16) / 4;
  PackTransposed(reinterpret_cast<const int32_t*>(bytes), stride, rows, (K + 3) / 4, width, words,
                 [=](auto v) HWY_ATTR { return hn::Xor(v, hn::Set(hn::DFromV<decltype(v)>(), flip)); });
}

/// mean[i] = mean over t of x[t, i], for kCount vectors of columns.
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

/// The same for K columns; zeros up to a multiple of the vector.
HWY_FLATTEN void MeanOfRows(const float* x, size_t stride, size_t T, size_t K, float* mean) {
  size_t i = 0;
  for (; i + 4 * kLanes <= K; i += 4 * kLanes) MeanOfColumns<4>(x + i, stride, T, kLanes, mean + i);
  for (; i + kLanes <= K; i += kLanes) MeanOfColumns<1>(x + i, stride, T, kLanes, mean + i);
  if (i < K) MeanOfColumns<1, false>(x + i, stride, T, K - i, mean + i);
}

void PackKeys(const AttentionArguments& a, size_t head, const PackedHead& packed, const Int8Scratch& scratch) {
  const float* key = a.key + head * a.K;
  MeanOfRows(key, a.key_stride, a.T, a.K, scratch.mean);
  const size_t panel_words = (a.K + 3) / 4 * kKeyPanel;
  float largest = 0;
  for (size_t t = 0; t < a.T; t += kKeyPanel) {
    const size_t rows = HWY_MIN(kKeyPanel, a.T - t);
    for (size_t r = 0; r < rows; ++r) {
      const float* row = key + (t + r) * a.key_stride;
      const float scale = QuantizeSymmetric<true>(row, scratch.mean, a.K, scratch.bytes + r * RoundUp(a.K, 16));
      packed.key_scale[t + r] = scale;
      largest = scale > largest ? scale : largest;
    }
    PackWords(scratch.bytes, rows, a.K, kKeyPanel, kKeyFlip, packed.keys + t / kKeyPanel * panel_words);
  }
  *packed.largest_key_scale = largest;
  for (size_t t = 0; t < RoundUp(a.T, kKeyPanel); ++t) {
    const float fraction = t < a.T && largest > 0 ? packed.key_scale[t] / largest * 32767.0f : 0.0f;
    packed.key_fraction[t] = fraction <= 32767.0f ? static_cast<int16_t>(fraction + 0.5f) : int16_t{0};
    if (t >= a.T) packed.key_scale[t] = 0;
  }
}

/// Returns the word of four bytes, each the low byte of a lane.
HWY_INLINE VI CombineBytes(VI a, VI b, VI c, VI d) {
#if HWY_TARGET_IS_NEON
  return VI(vsliq_n_s32(vsliq_n_s32(vsliq_n_s32(a.raw, b.raw, 8), c.raw, 16), d.raw, 24));
#else
  return hn::Or(hn::Or(a, hn::ShiftLeft<8>(b)), hn::Or(hn::ShiftLeft<16>(c), hn::ShiftLeft<24>(d)));
#endif
}

/// Packs `lanes` columns of the values. value = byte * scale + offset, with the bytes in [0, 254].
template <bool kWhole>
HWY_INLINE void PackValueColumns(const float* x, size_t stride, size_t T, size_t lanes, size_t word_stride,
                                 int32_t* words, float* scale, float* offset) {
  Range range = EmptyRange();
  for (size_t t = 0; t < T; ++t) range.Add(Load<kWhole>(x + t * stride, lanes));
  const VF width = hn::Sub(range.max, range.min), steps = hn::Set(kF32, 254.0f);
  const VF inverse = hn::IfThenElseZero(hn::Gt(width, hn::Set(kF32, kSmallestRange)), hn::Div(steps, width));
  const VF step = hn::Div(width, steps);
  const VF zero = hn::IfThenElseZero(hn::Gt(inverse, hn::Zero(kF32)), hn::Round(hn::Mul(range.min, inverse)));
  const VF low = hn::IfThenElse(hn::Gt(inverse, hn::Zero(kF32)), hn::Mul(zero, step), range.min);
  hn::StoreU(step, kF32, scale);
  hn::StoreU(hn::MulAdd(step, hn::Set(kF32, kValueBias), low), kF32, offset);
  const VF rounder = hn::Sub(hn::Set(kF32, kRounder), zero);
  const VI flip = hn::Set(kI32, kValueFlip);
  for (size_t t = 0; t < T; t += 4, words += word_stride) {
    const auto bytes = [&](size_t i) HWY_ATTR {
      // Rows beyond the last meet probabilities of zero; any value will do.
      const float* row = x + HWY_MIN(t + i, T - 1) * stride;
      return RoundToBits(hn::MulAdd(Load<kWhole>(row, lanes), inverse, rounder));
    };
    hn::StoreU(hn::Xor(CombineBytes(bytes(0), bytes(1), bytes(2), bytes(3)), flip), kI32, words);
  }
}

void PackValues(const AttentionArguments& a, size_t head, const PackedHead& packed) {
  const size_t word_stride = RoundUp(a.K, 16);
  const float* value = a.value + head * a.K;
  size_t i = 0;
  for (; i + kLanes <= a.K; i += kLanes) {
    PackValueColumns<true>(value + i, a.value_stride, a.T, kLanes, word_stride, packed.values + i,
                           packed.value_scale + i, packed.value_offset + i);
  }
  if (i < a.K) {
    PackValueColumns<false>(value + i, a.value_stride, a.T, a.K - i, word_stride, packed.values + i,
                            packed.value_scale + i, packed.value_offset + i);
  }
}

}  // namespace
}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
