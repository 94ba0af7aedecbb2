// SPDX-License-Identifier: Apache-2.0
// Multi-head attention in int8, in the same steps as attention.h. f32 queries, keys and values become:
//
//   logits   q[8 bits] * (k - mean of k)[8 bits], both with a scale per row and head, -> 32 bits
//   softmax  2^(logit - max) in 16 bits; probabilities in 8 bits; the rounding error goes to the next key
//   output   probabilities * v[8 bits, a scale and an offset per column], divided by their sum
//
// Subtracting the mean of the keys does not change the softmax, and it makes the 8 bits more precise
// (SageAttention, Zhang et al. 2024). Probabilities are relative to the largest one, so most of a row's sum
// may come from values below one step. Carrying the rounding error on (error diffusion) keeps that sum, a
// gain of 18 dB on a trained DINOv2-S.
//
// There is no T x T matrix: a thread's scratch memory holds the logits of 16 queries.
#pragma once

#include "runtime/kernels/attention.h"

namespace vitrine::kernels {

/// Returns whether this CPU has a fast kernel: with NEON, or AVX-512 with VNNI. Elsewhere f32 attention is as
/// fast.
bool HasAttentionInt8();

/// Returns the size of the packed keys and values of all heads. All threads share them. Align to 64.
size_t AttentionInt8PackedBytes(size_t T, size_t H, size_t K);

/// Returns the bytes of scratch memory that a thread needs for PackAttentionInt8Head and AttentionInt8Tile.
/// Align to 64.
size_t AttentionInt8ScratchBytes(size_t T, size_t H, size_t K);

/// Quantizes and packs the keys and values of one head into `packed`. Heads may be packed in any order, on
/// any thread.
void PackAttentionInt8Head(const AttentionArguments& arguments, size_t head, void* packed, void* scratch);

/// Writes rows [first, last) of the output, as AttentionTile does. The SQNR against AttentionReference is at
/// least 28 dB, for all finite values. 2 K byte products per score. Does not allocate.
void AttentionInt8Tile(const AttentionArguments& arguments, const void* packed, size_t first, size_t last,
                       void* scratch);

/// The kernels of one instruction set, from which attention_int8.cc chooses at run time.
struct AttentionInt8Kernels {
  void (*pack_head)(const AttentionArguments& arguments, size_t head, void* packed, void* scratch);
  void (*tile)(const AttentionArguments& arguments, void* packed, size_t first, size_t last, void* scratch);
};

/// Returns the kernels for 64-bit ARM with dot products (Cortex-A55, A75 and later).
AttentionInt8Kernels AttentionInt8Dot();

/// Returns the kernels for 64-bit ARM with int8 matrix multiplication (Cortex-A510, A710, X2 and later).
AttentionInt8Kernels AttentionInt8I8mm();

}  // namespace vitrine::kernels
