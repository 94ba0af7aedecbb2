// SPDX-License-Identifier: Apache-2.0
// The int8 linear layer for 64-bit ARM with int8 matrix multiplication, compiled with
// -march=armv8.2-a+dotprod+i8mm.
#include "runtime/kernels/linear_int8_kernels.h"

#include "hwy/highway.h"
#include "runtime/kernels/linear_int8-inl.h"

namespace vitrine::kernels {

LinearInt8Kernels LinearInt8I8mm() { return {HWY_NAMESPACE::kGroup, HWY_NAMESPACE::Tile}; }

}  // namespace vitrine::kernels
