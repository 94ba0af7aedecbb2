// SPDX-License-Identifier: Apache-2.0
// Int8 attention for 64-bit ARM with dot products, compiled with -march=armv8.2-a+dotprod.
#include "runtime/kernels/attention_int8.h"

#include "hwy/highway.h"
#include "runtime/kernels/attention_int8-inl.h"

namespace vitrine::kernels {

AttentionInt8Kernels AttentionInt8Dot() { return {HWY_NAMESPACE::PackHead, HWY_NAMESPACE::AttentionTile}; }

}  // namespace vitrine::kernels
