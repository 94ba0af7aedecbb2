// SPDX-License-Identifier: Apache-2.0
// Multi-head attention in int8, split as attention.h is: what f32 queries, keys and values become inside.
//
//   logits   q[8 bits, a scale a row and head] * (k - mean of k)[8 bits, a scale a row and head] -> 32 bits
//   softmax  2^(logit - max) in 16 bits; probabilities in 8, their rounding carried from key to key
//   output   probabilities * v[8 bits, a scale and an offset a column], divided by their sum
//
// Softmax does not see a constant taken from all keys, and without their mean 8 bits reach further
// (SageAttention, Zhang et al. 2024). Probabilities are relative to the largest, so that most of a row's
// sum may lie below one step; carrying the rounding on (error diffusion) keeps that sum, which is worth 18
// dB on a trained DINOv2-S.
//
// No T x T matrix: a thread's scratch holds the logits of 16 queries.
#pragma once

#include "runtime/kernels/attention.h"

namespace vitrine::kernels {

/// Returns whether this processor has a fast path: NEON, or AVX-512 with VNNI. Elsewhere f32
/// attention is as fast.
bool HasAttentionInt8();

/// Returns the bytes that the packed keys and values of all heads need. Shared by all threads; align to 64.
size_t AttentionInt8PackedBytes(size_t T, size_t H, size_t K);

/// Returns the bytes of scratch that a thread needs for PackAttentionInt8Head and
/// AttentionInt8Tile. Align to 64.
size_t AttentionInt8ScratchBytes(size_t T, size_t H, size_t K);

/// Quantizes and packs the keys and values of one head into `packed`. Heads may be packed in any
/// order, on any thread.
void PackAttentionInt8Head(const AttentionArguments& arguments, size_t head, void* packed, void* scratch);

/// Writes rows [first, last) of the output, as AttentionTile does. Its reference is AttentionReference.
void AttentionInt8Tile(const AttentionArguments& arguments, const void* packed, size_t first, size_t last,
                       void* scratch);

struct AttentionInt8Kernels {
  void (*pack_head)(const AttentionArguments& arguments, size_t head, void* packed, void* scratch);
  void (*tile)(const AttentionArguments& arguments, void* packed, size_t first, size_t last, void* scratch);
};

/// 64-bit ARM with dot products (Cortex-A55, A75 and later).
AttentionInt8Kernels AttentionInt8Dot();

/// 64-bit ARM with int8 matrix multiplication (Cortex-A510, A710, X2 and later).
AttentionInt8Kernels AttentionInt8I8mm();

}  // namespace vitrine::kernels
