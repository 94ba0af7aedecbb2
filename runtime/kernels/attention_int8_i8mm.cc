// SPDX-License-Identifier: Apache-2.0
// Int8 attention for 64-bit ARM with int8 matrix multiplication, compiled with -march=armv8.2-a+dotprod+i8mm.
#include "runtime/kernels/attention_int8.h"

#include "hwy/highway.h"
#include "runtime/kernels/attention_int8-inl.h"

namespace vitrine::kernels {

AttentionInt8Kernels AttentionInt8I8mm() { return {HWY_NAMESPACE::PackHead, HWY_NAMESPACE::AttentionTile}; }

}  // namespace vitrine::kernels
