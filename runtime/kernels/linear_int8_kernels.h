// SPDX-License-Identifier: Apache-2.0
// The kernels that linear_int8.cc chooses from at run time, and the layout of packed weights: one panel after
// the other.
#pragma once

#include "runtime/kernels/linear_int8.h"

namespace vitrine::kernels {

/// The kernel of one instruction set.
struct LinearInt8Kernels {
  size_t group;  // of PackLinearInt8
  void (*tile)(const LinearInt8Arguments& arguments, size_t first_row, size_t last_row, size_t first_column,
               size_t last_column, void* scratch);
};

/// Returns the kernel for 64-bit ARM with int8 matrix multiplication (Cortex-A510, A710, X2 and later).
LinearInt8Kernels LinearInt8I8mm();

namespace {

// The rest has internal linkage, because ARM builds compile it for several CPUs.

constexpr size_t PaddedRow(size_t K) { return (K + 15) / 16 * 16; }

/// kLinearInt8Tile columns of packed weights.
struct LinearInt8Panel {
  static constexpr size_t kColumns = kLinearInt8Tile;

  int32_t* groups;  // [K / group, kColumns] groups
  float* scale;     // [kColumns]
  float* bias;      // [kColumns]
  int32_t* sum;     // [kColumns], sums of the weights

  static constexpr size_t Bytes(size_t K) {
    return kColumns * (PaddedRow(K) + 2 * sizeof(float) + sizeof(int32_t));
  }
  /// Finds the panel that starts with `column`.
  LinearInt8Panel(const void* packed, size_t column, size_t K) {
    char* p = static_cast<char*>(const_cast<void*>(packed)) + column / kColumns * Bytes(K);
    groups = reinterpret_cast<int32_t*>(p), p += kColumns * PaddedRow(K);
    scale = reinterpret_cast<float*>(p), p += kColumns * sizeof(float);
    bias = reinterpret_cast<float*>(p), p += kColumns * sizeof(float);
    sum = reinterpret_cast<int32_t*>(p);
  }
};

}  // namespace
}  // namespace vitrine::kernels
