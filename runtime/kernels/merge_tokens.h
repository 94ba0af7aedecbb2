// SPDX-License-Identifier: Apache-2.0
// Token merging: the tokens that resemble others most are averaged into these (Token Merging, Bolya et al.
// 2023, section 3: bipartite soft matching). The number that goes is fixed, so that all shapes are.
//
//   once a token:      MergeTokensMetric(token)        its key, averaged over the heads, of unit length
//   ---- all tokens ----
//   once a tile:       MergeTokensMatch(first, last)   the odd token that each even token resembles most
//   ---- all tiles ----
//   once:              MergeTokensPlan                 which even tokens go, and what each output row is made of
//   once a row:        MergeTokensRows(first, last)    rows kept, or averaged by how many tokens they stand for
#pragma once

#include <cstddef>
#include <cstdint>

namespace vitrine::kernels {

/// Tokens from `protected_rows` on are of two kinds by their index, even and odd; even ones are merged
/// into odd ones. The output holds the protected tokens, the even ones that are left, and the odd ones,
/// each in their order.
struct MergeTokensArguments {
  const float* tokens = nullptr;  ///< [T, D]
  const float* delta = nullptr;   ///< [T, D], added to the tokens, or none
  const float* key = nullptr;     ///< [T, H * K]
  size_t key_stride = 0;
  const float* sizes = nullptr;  ///< [T]: how many tokens each stands for, or none: one each
  size_t T = 0, D = 0, H = 0, K = 0;
  size_t protected_rows = 0;   ///< class and register tokens, which neither go nor take
  size_t merged = 0;           ///< how many go, at most the number of even tokens
  float* out = nullptr;        ///< [T - merged, D]
  float* out_sizes = nullptr;  ///< [2, T - merged]: sizes, and their binary logarithms

  size_t even_count() const { return (T + 1) / 2 - (protected_rows + 1) / 2; }
  size_t odd_count() const { return T / 2 - protected_rows / 2; }
};

/// Tiles of a multiple of this many even tokens leave no lane idle; any other size gives the same result.
constexpr size_t kMergeTokensTile = 16;

/// Returns the bytes that all threads share from the first call to the last. Align to 64.
size_t MergeTokensSharedBytes(size_t T, size_t K);
/// Returns the bytes of scratch that a thread needs for MergeTokensMetric. Align to 64.
size_t MergeTokensScratchBytes(size_t K);

/// Tokens [first, last), first >= protected_rows.
void MergeTokensMetric(const MergeTokensArguments& arguments, size_t first, size_t last, void* shared,
                       void* scratch);
/// Even tokens [first, last), counted from the first that is not protected.
void MergeTokensMatch(const MergeTokensArguments& arguments, size_t first, size_t last, void* shared);
void MergeTokensPlan(const MergeTokensArguments& arguments, void* shared);
/// Rows [first, last) of the output.
void MergeTokensRows(const MergeTokensArguments& arguments, size_t first, size_t last, const void* shared);

/// Sets `weights` [T - merged, T] to what each row of the output is made of, once MergeTokensPlan has
/// run: rows sum to one.
void MergeTokensWeights(const MergeTokensArguments& arguments, const void* shared, float* weights);

/// All of it, in f64. Allocates.
void MergeTokensReference(const MergeTokensArguments& arguments);

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
