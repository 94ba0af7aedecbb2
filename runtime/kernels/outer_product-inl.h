// SPDX-License-Identifier: Apache-2.0
// The micro-kernel of attention: a sum of outer products of a few scalars and a few vectors, in registers.
// The template parameter Product defines scalars, vectors and the multiply-add. Included after rows-inl.h,
// for every instruction set, so without an include guard.
#include <utility>

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {
namespace {

constexpr size_t kLanes = hn::MaxLanes(kF32);

// Accumulators: 8 scalars x 2 vectors with 32 registers (64-bit ARM, AVX-512), otherwise 4 x 2.
constexpr size_t kScalars = HWY_ARCH_ARM_A64 || HWY_TARGET <= HWY_AVX3 ? 8 : 4;
constexpr size_t kVectors = 2;

template <class Body, size_t... kIndex>
HWY_INLINE void Unroll(const Body& body, std::index_sequence<kIndex...>) {
  (body(std::integral_constant<size_t, kIndex>()), ...);
}

/// Calls body(0), ... body(kCount - 1) with constants, so that arrays of vectors stay in registers at all
/// levels of optimization.
template <size_t kCount, class Body>
HWY_INLINE void Unroll(const Body& body) {
  Unroll(body, std::make_index_sequence<kCount>());
}

/// Loads kCount vectors.
template <class V, size_t kCount>
HWY_INLINE void LoadVectors(const hn::TFromV<V>* p, V (&v)[kCount]) {
  Unroll<kCount>([&](auto i) HWY_ATTR { v[i] = hn::LoadU(hn::DFromV<V>(), p + i * kLanes); });
}

/// The product of f32. On 64-bit ARM a lane of a register is an operand of the fused multiply-add. With the
/// intrinsic, GCC 12 copies accumulators back and forth: 14 % more instructions.
struct FloatProduct {
  using T = float;
  using V = VF;

#if HWY_ARCH_ARM_A64
  struct Scalars {
    V v[kScalars / 4];

    HWY_INLINE explicit Scalars(const float* p) { LoadVectors(p, v); }
  };
  template <size_t kLane>
  static HWY_INLINE V MulAdd(const Scalars& s, V a, V sum) {
    asm("fmla %0.4s, %1.4s, %2.s[%3]" : "+w"(sum.raw) : "w"(a.raw), "w"(s.v[kLane / 4].raw), "i"(kLane % 4));
    return sum;
  }
#else
  using Scalars = const float*;
  template <size_t kLane>
  static HWY_INLINE V MulAdd(const Scalars& s, V a, V sum) {
    return hn::MulAdd(a, hn::Set(kF32, s[kLane]), sum);
  }
#endif
};

template <class Product, size_t kCount>
struct Sums {
  HWY_INLINE Sums() {}
  typename Product::V v[kScalars][kCount];
};

/// Adds the outer product of kScalars scalars and kCount vectors, or one vector with fewer lanes (kWhole =
/// false).
template <class Product, size_t kCount, bool kWhole>
HWY_INLINE void AddOuterProduct(const typename Product::T* HWY_RESTRICT scalars,
                                const typename Product::T* HWY_RESTRICT vectors, size_t lanes,
                                Sums<Product, kCount>& sums) {
  using V = typename Product::V;
  const hn::DFromV<V> d;
  const typename Product::Scalars s(scalars);
  V a[kCount];
  if constexpr (kWhole) {
    LoadVectors(vectors, a);
  } else {
    a[0] = hn::LoadN(d, vectors, lanes);
  }
  Unroll<kScalars * kCount>([&](auto i) HWY_ATTR {
    V& sum = sums.v[i / kCount][i % kCount];
    sum = Product::template MulAdd<i / kCount>(s, a[i % kCount], sum);
  });
}

/// Returns the sum over `steps` of the outer products of scalars[step] and vectors[step].
template <class Product, size_t kCount, bool kWhole = true>
HWY_INLINE Sums<Product, kCount> SumOfOuterProducts(const typename Product::T* HWY_RESTRICT scalars,
                                                    size_t scalar_stride,
                                                    const typename Product::T* HWY_RESTRICT vectors,
                                                    size_t vector_stride, size_t steps,
                                                    size_t lanes = kLanes) {
  using V = typename Product::V;
  Sums<Product, kCount> sums;
  Unroll<kScalars * kCount>([&](auto i)
                                HWY_ATTR { sums.v[i / kCount][i % kCount] = hn::Zero(hn::DFromV<V>()); });
  for (; steps >= 4; steps -= 4) {
    AddOuterProduct<Product, kCount, kWhole>(scalars, vectors, lanes, sums);
    AddOuterProduct<Product, kCount, kWhole>(scalars + scalar_stride, vectors + vector_stride, lanes, sums);
    AddOuterProduct<Product, kCount, kWhole>(scalars + 2 * scalar_stride, vectors + 2 * vector_stride, lanes,
                                             sums);
    AddOuterProduct<Product, kCount, kWhole>(scalars + 3 * scalar_stride, vectors + 3 * vector_stride, lanes,
                                             sums);
    scalars += 4 * scalar_stride, vectors += 4 * vector_stride;
  }
  for (; steps > 0; --steps, scalars += scalar_stride, vectors += vector_stride) {
    AddOuterProduct<Product, kCount, kWhole>(scalars, vectors, lanes, sums);
  }
  return sums;
}

/// Transposes x [rows, columns] of 32-bit elements to out [columns, width], with zeros for the missing rows.
/// Applies `map` to every 4 elements. width is a multiple of 4.
template <typename T, class Map>
HWY_INLINE void PackTransposed(const T* x, size_t stride, size_t rows, size_t columns, size_t width, T* out,
                               const Map& map) {
  const hn::FixedTag<T, 4> d4;
  for (size_t r = 0; r < width; r += 4) {
    const T* x0 = x + r * stride;
    size_t k = 0;
    for (; r + 4 <= rows && k + 4 <= columns; k += 4) {
      const auto a = hn::LoadU(d4, x0 + k), b = hn::LoadU(d4, x0 + stride + k);
      const auto c = hn::LoadU(d4, x0 + 2 * stride + k), d = hn::LoadU(d4, x0 + 3 * stride + k);
      const auto ac_low = hn::InterleaveLower(d4, a, c), ac_high = hn::InterleaveUpper(d4, a, c);
      const auto bd_low = hn::InterleaveLower(d4, b, d), bd_high = hn::InterleaveUpper(d4, b, d);
      T* to = out + k * width + r;
      hn::StoreU(map(hn::InterleaveLower(d4, ac_low, bd_low)), d4, to);
      hn::StoreU(map(hn::InterleaveUpper(d4, ac_low, bd_low)), d4, to + width);
      hn::StoreU(map(hn::InterleaveLower(d4, ac_high, bd_high)), d4, to + 2 * width);
      hn::StoreU(map(hn::InterleaveUpper(d4, ac_high, bd_high)), d4, to + 3 * width);
    }
    for (; k < columns; ++k) {
      T column[4] = {};
      for (size_t i = 0; i < 4 && r + i < rows; ++i) column[i] = x0[i * stride + k];
      hn::StoreU(map(hn::LoadU(d4, column)), d4, out + k * width + r);
    }
  }
}

}  // namespace
}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
