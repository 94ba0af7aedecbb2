// SPDX-License-Identifier: Apache-2.0
// What the stages of token merging hand on.
#pragma once

#include "runtime/kernels/merge_tokens.h"

namespace vitrine::kernels {

constexpr int32_t kNone = -1;  // of MergeTokensShared::next

struct MergeTokensShared {
  float* even;      // [K, columns], the metric
  float* odd;       // [K, columns]
  float* score;     // [even], the largest product
  int32_t* match;   // [even], the odd token it is with
  int32_t* order;   // [even], by score
  int32_t* source;  // [T - merged], the token that each row of the output is made of first
  int32_t* next;    // [T], the next that goes into the same row, or kNone

  static size_t Columns(size_t T) { return (T / 2 + kMergeTokensTile) / kMergeTokensTile * kMergeTokensTile; }
  static size_t Bytes(size_t T, size_t K) {
    return (2 * K + 5) * Columns(T) * sizeof(float) + 2 * T * sizeof(int32_t);
  }
  MergeTokensShared(const MergeTokensArguments& a, const void* memory) {
    const size_t columns = Columns(a.T);
    even = static_cast<float*>(const_cast<void*>(memory));
    odd = even + a.K * columns;
    score = odd + a.K * columns;
    match = reinterpret_cast<int32_t*>(score + columns);
    order = match + columns;
    source = order + columns;
    next = source + a.T;
  }
};

/// The index among the tokens of an even or odd one, counted from the first that is not protected.
inline size_t EvenToken(const MergeTokensArguments& a, size_t i) {
  return ((a.protected_rows + 1) / 2 + i) * 2;
}
inline size_t OddToken(const MergeTokensArguments& a, size_t i) { return (a.protected_rows / 2 + i) * 2 + 1; }

}  // namespace vitrine::kernels
