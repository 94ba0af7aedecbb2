// SPDX-License-Identifier: Apache-2.0
// What linear_int8.cc chooses from.
#pragma once

#include "runtime/kernels/linear_int8.h"

namespace vitrine::kernels {

struct LinearInt8Kernels {
  size_t group;  // what PackLinearInt8 packs for it
  void (*tile)(const LinearInt8Arguments& arguments, size_t first_row, size_t last_row, size_t first_column,
               size_t last_column, void* scratch);
};

/// 64-bit ARM with int8 matrix multiplication (Cortex-A510, A710, X2 and later).
LinearInt8Kernels LinearInt8I8mm();

}  // namespace vitrine::kernels
