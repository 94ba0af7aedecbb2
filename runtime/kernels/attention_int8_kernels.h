// SPDX-License-Identifier: Apache-2.0
// What attention_int8.cc chooses from.
#pragma once

#include "runtime/kernels/attention.h"

namespace vitrine::kernels {

struct AttentionInt8Kernels {
  void (*pack_head)(const AttentionArguments& arguments, size_t head, void* packed, void* scratch);
  void (*tile)(const AttentionArguments& arguments, void* packed, size_t first, size_t last, void* scratch);
};

/// 64-bit ARM with dot products (Cortex-A55, A75 and later).
AttentionInt8Kernels AttentionInt8Dot();

/// 64-bit ARM with int8 matrix multiplication (Cortex-A510, A710, X2 and later).
AttentionInt8Kernels AttentionInt8I8mm();

}  // namespace vitrine::kernels
