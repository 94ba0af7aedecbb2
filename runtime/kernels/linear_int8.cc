// SPDX-License-Identifier: Apache-2.0
// Chooses the int8 linear layer of this CPU, if it is not XNNPACK's.
#include "runtime/kernels/linear_int8.h"

#include "hwy/highway.h"
#include "runtime/kernels/linear_int8_kernels.h"

#if HWY_ARCH_ARM
#include <sys/auxv.h>

#include "runtime/kernels/linear_int8-inl.h"
#endif

namespace vitrine::kernels {
namespace {

LinearInt8Kernels ChooseKernels() {
#if HWY_ARCH_ARM_A64
  constexpr unsigned long kDotProduct = 1 << 20, kI8mm = 1 << 13;  // HWCAP_ASIMDDP, HWCAP2_I8MM
  if (getauxval(AT_HWCAP2) & kI8mm) return LinearInt8I8mm();
#elif HWY_ARCH_ARM
  constexpr unsigned long kDotProduct = 1 << 24;  // HWCAP_ASIMDDP
#endif
#if HWY_ARCH_ARM
  if (!(getauxval(AT_HWCAP) & kDotProduct)) return {HWY_NAMESPACE::kGroup, HWY_NAMESPACE::Tile};
#endif
  return {};
}

}  // namespace

size_t LinearInt8Group() { return ChooseKernels().group; }

size_t LinearInt8ScratchBytes(size_t K) { return 2 * kLinearInt8Tile * PaddedRow(K); }

void LinearInt8Tile(const LinearInt8Arguments& arguments, size_t first_row, size_t last_row,
                    size_t first_column, size_t last_column, void* scratch) {
  ChooseKernels().tile(arguments, first_row, last_row, first_column, last_column, scratch);
}

}  // namespace vitrine::kernels
