// SPDX-License-Identifier: Apache-2.0
// Token merging: averages the tokens that are most similar to another token into that one (Token Merging,
// Bolya et al. 2023, section 3: bipartite soft matching). The number of merged tokens is fixed, so all shapes
// are static.
//
//   once per token:    MergeTokensMetric(token)        its key, averaged over the heads, of unit length
//   ---- all tokens ----
//   once per tile:     MergeTokensMatch(first, last)   the most similar odd token of each even token
//   ---- all tiles ----
//   once:              MergeTokensPlan                 the even tokens to merge, and the sources of each row
//   once per row:      MergeTokensRows(first, last)    tokens, or averages weighted by the tokens' sizes
#pragma once

#include <cstddef>
#include <cstdint>

namespace vitrine::kernels {

/// Arguments of token merging. Tokens from `protected_rows` on are even or odd by their index; even ones are
/// merged into odd ones. The output has the protected tokens, the remaining even ones, and the odd ones, each
/// in their order.
struct MergeTokensArguments {
  const float* tokens = nullptr;  ///< [T, D]
  const float* delta = nullptr;   ///< [T, D], added to the tokens, or null
  const float* key = nullptr;     ///< [T, H * K]
  size_t key_stride = 0;
  const float* sizes = nullptr;  ///< [T]: the number of tokens in each; null: 1
  size_t T = 0, D = 0, H = 0, K = 0;
  size_t protected_rows = 0;   ///< class and register tokens, which are not merged
  size_t merged = 0;           ///< tokens to merge, at most the number of even tokens
  float* out = nullptr;        ///< [T - merged, D]
  float* out_sizes = nullptr;  ///< [2, T - merged]: sizes, and their binary logarithms

  size_t even_count() const { return (T + 1) / 2 - (protected_rows + 1) / 2; }
  size_t odd_count() const { return T / 2 - protected_rows / 2; }
};

/// Tiles of a multiple of this many even tokens use all lanes. Other sizes give the same result.
constexpr size_t kMergeTokensTile = 16;

/// Returns the size of the memory that all threads share from the first call to the last. Align to 64.
size_t MergeTokensSharedBytes(size_t T, size_t K);
/// Returns the bytes of scratch memory that a thread needs for MergeTokensMetric. Align to 64.
size_t MergeTokensScratchBytes(size_t K);

/// Computes the metric of the tokens [first, last), first >= protected_rows. f32; H additions per element of
/// a key. No function here allocates, except the reference.
void MergeTokensMetric(const MergeTokensArguments& arguments, size_t first, size_t last, void* shared,
                       void* scratch);
/// Matches the even tokens [first, last), counted from the first unprotected one. K multiply-adds per pair of
/// tokens.
void MergeTokensMatch(const MergeTokensArguments& arguments, size_t first, size_t last, void* shared);
/// Selects the tokens to merge: those with the largest similarity, and of equal ones the first.
void MergeTokensPlan(const MergeTokensArguments& arguments, void* shared);
/// Writes rows [first, last) of the output. f32, within 1e-5 of the reference for values around 1.
void MergeTokensRows(const MergeTokensArguments& arguments, size_t first, size_t last, const void* shared);

/// Sets `weights` [T - merged, T] to the share of each token in each row of the output; each row has the sum
/// 1. Call it after MergeTokensPlan.
void MergeTokensWeights(const MergeTokensArguments& arguments, const void* shared, float* weights);

/// All steps in f64. Allocates.
void MergeTokensReference(const MergeTokensArguments& arguments);

constexpr int32_t kNone = -1;  // ends the chains of MergeTokensShared::next

/// The shared memory of all steps.
struct MergeTokensShared {
  float* even;      // [K, columns], the metric
  float* odd;       // [K, columns]
  float* score;     // [even], the largest product
  int32_t* match;   // [even], the odd token of that product
  int32_t* order;   // [even], by score
  int32_t* source;  // [T - merged], the first token of each row of the output
  int32_t* next;    // [T], the next token of the same row, or kNone

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

/// Returns the index of the i-th even or odd token after the protected ones.
inline size_t EvenToken(const MergeTokensArguments& a, size_t i) {
  return ((a.protected_rows + 1) / 2 + i) * 2;
}
inline size_t OddToken(const MergeTokensArguments& a, size_t i) { return (a.protected_rows / 2 + i) * 2 + 1; }

}  // namespace vitrine::kernels
