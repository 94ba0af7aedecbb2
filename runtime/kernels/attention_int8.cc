// SPDX-License-Identifier: Apache-2.0
// Chooses the int8 attention of this CPU.
#include "runtime/kernels/attention_int8.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

// The instruction set of AVX-512 with VNNI. Only this kernel gains from it, so only this one is compiled for
// it.
#define HWY_WANT_AVX3_DL

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/attention_int8.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

#if HWY_TARGET == HWY_AVX3_DL || HWY_TARGET_IS_NEON
#include "runtime/kernels/attention_int8-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {
AttentionInt8Kernels Kernels() { return {PackHead, AttentionTile}; }
}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#else
#include "runtime/kernels/attention_int8_layout-inl.h"
#include "runtime/kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {
AttentionInt8Kernels Kernels() { return {}; }
}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace vitrine::kernels {
namespace {

// Highway's dispatch does not work here: without optimization its inline functions ignore HWY_WANT_AVX3_DL of
// this file.
AttentionInt8Kernels FindKernels() {
#if defined(__aarch64__)
  constexpr unsigned long kDotProduct = 1 << 20, kI8mm = 1 << 13;  // HWCAP_ASIMDDP, HWCAP2_I8MM
  if (getauxval(AT_HWCAP2) & kI8mm) return AttentionInt8I8mm();
  if (getauxval(AT_HWCAP) & kDotProduct) return AttentionInt8Dot();
#elif HWY_TARGETS & HWY_AVX3_DL
  if (hwy::SupportedTargets() & HWY_AVX3_DL) return N_AVX3_DL::Kernels();
#endif
  return HWY_STATIC_DISPATCH(Kernels)();
}

/// Asks the CPU only once: it takes 25 us in a virtual machine, as long as a tile of attention.
const AttentionInt8Kernels& ChooseKernels() {
  static const AttentionInt8Kernels kernels = FindKernels();
  return kernels;
}

}  // namespace

bool HasAttentionInt8() { return ChooseKernels().tile != nullptr; }

size_t AttentionInt8PackedBytes(size_t T, size_t H, size_t K) {
  using HWY_STATIC_DISPATCH(PackedHead);
  return H * PackedHead::StrideBytes(T, K);
}

size_t AttentionInt8ScratchBytes(size_t T, size_t H, size_t K) {
  using HWY_STATIC_DISPATCH(Int8Scratch);
  return Int8Scratch::Bytes(T, H, K);
}

void PackAttentionInt8Head(const AttentionArguments& arguments, size_t head, void* packed, void* scratch) {
  ChooseKernels().pack_head(arguments, head, packed, scratch);
}

void AttentionInt8Tile(const AttentionArguments& arguments, const void* packed, size_t first, size_t last,
                       void* scratch) {
  ChooseKernels().tile(arguments, const_cast<void*>(packed), first, last, scratch);
}

}  // namespace vitrine::kernels
#endif  // HWY_ONCE
