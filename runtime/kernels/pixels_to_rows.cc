// SPDX-License-Identifier: Apache-2.0
// Patches, a run of pixels at a time: a patch row is contiguous in the image and in the output.
#include "runtime/kernels/pixels_to_rows.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/pixels_to_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {

/// Writes n pixels as int8: taking 128 away flips the highest bit.
HWY_INLINE void CopyRun(const uint8_t* HWY_RESTRICT pixels, size_t n, int8_t* HWY_RESTRICT out) {
  const hn::CappedTag<uint8_t, 16> d;
  const hn::RebindToSigned<decltype(d)> di;
  constexpr size_t N = hn::MaxLanes(d);
  const auto flip = hn::Set(d, uint8_t{0x80});
  size_t i = 0;
  for (; i + N <= n; i += N) {
    hn::StoreU(hn::BitCast(di, hn::Xor(hn::LoadU(d, pixels + i), flip)), di, out + i);
  }
  for (; i < n; ++i) out[i] = static_cast<int8_t>(pixels[i] ^ 0x80);
}

/// Writes n pixels as f32, less `zero`.
HWY_INLINE void CopyRun(const uint8_t* HWY_RESTRICT pixels, size_t n, float zero, float* HWY_RESTRICT out) {
  const hn::Rebind<uint8_t, F32> d8;
  constexpr size_t N = hn::MaxLanes(kF32);
  const VF zeros = hn::Set(kF32, zero);
  size_t i = 0;
  for (; i + N <= n; i += N) {
    const VF v = hn::ConvertTo(kF32, hn::PromoteTo(kI32, hn::LoadU(d8, pixels + i)));
    hn::StoreU(hn::Sub(v, zeros), kF32, out + i);
  }
  for (; i < n; ++i) out[i] = static_cast<float>(pixels[i]) - zero;
}

void PixelsToRows(const PixelsToRowsArguments& a, size_t first, size_t last) {
  const size_t across = a.image_width / a.patch_width;
  const size_t run = a.patch_width * a.channels, image_row = a.image_width * a.channels;
  for (size_t patch = first; patch < last; ++patch) {
    const uint8_t* pixels = a.pixels + patch / across * a.patch_height * image_row + patch % across * run;
    for (size_t y = 0; y < a.patch_height; ++y, pixels += image_row) {
      const size_t element = patch * a.out.stride + y * run;
      if (a.out.type == RowType::kF32) {
        CopyRun(pixels, run, static_cast<float>(128 + a.zero_point),
                static_cast<float*>(a.out.data) + element);
      } else {
        CopyRun(pixels, run, static_cast<int8_t*>(a.out.data) + element);
      }
    }
    if (a.out.type == RowType::kQd8) a.out.quantization[patch] = {a.zero_point, 1.0f};
  }
}

}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::kernels {

HWY_EXPORT(PixelsToRows);

void PixelsToRows(const PixelsToRowsArguments& arguments, size_t first, size_t last) {
  HWY_DYNAMIC_DISPATCH(PixelsToRows)(arguments, first, last);
}

}  // namespace vitrine::kernels
#endif  // HWY_ONCE
