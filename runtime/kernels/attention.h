// SPDX-License-Identifier: Apache-2.0
// Multi-head attention in f32: softmax(Q * K^T) * V, one tile of query rows over all heads at a time.
//
//   once per head:    PackAttentionHead(head)      keys -> panels that the tiles share
//   ---- all heads packed ----
//   once per tile:    AttentionTile(first, last)   Q * K^T, softmax, * V, head by head; writes the rows
#pragma once

#include "runtime/kernels/rows.h"

namespace vitrine::kernels {

/// Arguments of attention. Head h has the columns [h * K, h * K + K) of query, key, value and out; K >= 1.
/// The inputs may be columns of one matrix. The query already includes the scale 1 / sqrt(K).
struct AttentionArguments {
  const float* query = nullptr;  ///< [Tq, H * K]
  size_t query_stride = 0;
  const float* key = nullptr;  ///< [T, H * K]
  size_t key_stride = 0;
  const float* value = nullptr;  ///< [T, H * K]
  size_t value_stride = 0;
  size_t T = 0;   ///< keys and values, >= 1
  size_t Tq = 0;  ///< queries, >= 1; 1 where only the class token is used
  size_t H = 0;
  size_t K = 0;
  OutputRows out;  ///< [Tq, H * K]; a quantized row spans all heads
  /// Relative position bias [H, PositionBiasPlaces(grid)], added to the scores, or null; T = 1 + grid_height
  /// * grid_width. The bias of patches at (y, x) and (y', x') is at
  ///     (y - y' + height - 1) * (2 * width - 1) + x - x' + width - 1
  /// and the last three are for class token to patch, patch to class token, class token to itself.
  const float* bias = nullptr;
  size_t grid_height = 0, grid_width = 0;
  /// The binary logarithm of the number of tokens that were merged into each key, [T], >= 0, or null. A key
  /// of n tokens counts n times: proportional attention (Token Merging, Bolya et al. 2023, section 3).
  const float* size_log2 = nullptr;
};

/// Returns the number of biases of a head for a grid of patches and a class token.
constexpr size_t PositionBiasPlaces(size_t grid_height, size_t grid_width) {
  return (2 * grid_height - 1) * (2 * grid_width - 1) + 3;
}

/// Tiles of a multiple of this many query rows use all lanes. Other sizes give the same result.
constexpr size_t kAttentionTileRows = 16;

/// Returns the size of the packed keys of all heads. All threads share them. Align to 64.
size_t AttentionPackedBytes(size_t T, size_t H, size_t K);

/// Returns the bytes of scratch memory that a thread needs for AttentionTile. Align to 64.
size_t AttentionScratchBytes(size_t T, size_t H, size_t K);

/// Packs the keys of one head into `packed`. Heads may be packed in any order, on any thread.
void PackAttentionHead(const AttentionArguments& arguments, size_t head, void* packed);

/// Writes rows [first, last) of the output. All heads must be packed. f32, for scores of any finite size;
/// within 3e-6 of the reference for scores around 1, plus half a step in int8 rows. 2 K multiply-adds and
/// about 15 instructions of softmax per vector of scores. The bytes do not depend on how the rows are split
/// into tiles. Does not allocate.
void AttentionTile(const AttentionArguments& arguments, const void* packed, size_t first, size_t last,
                   void* scratch);

/// Returns the bytes of scratch memory that a thread needs for AttentionMean. Align to 64.
size_t AttentionMeanScratchBytes(size_t T, size_t K);

/// Sets rows [first, last) of `mean` [Tq, T] to the attention of each query: the probabilities of the keys,
/// averaged over the heads. Ignores value and out. All heads must be packed. f32, within 1e-6 of the
/// reference. Does not allocate.
void AttentionMean(const AttentionArguments& arguments, const void* packed, size_t first, size_t last,
                   float* mean, void* scratch);

/// The same in f64.
void AttentionMeanReference(const AttentionArguments& arguments, size_t first, size_t last, float* mean);

/// AttentionTile without packing, in f64, one element at a time. `scratch` is RowScratchBytes(H * K).
/// Allocates.
void AttentionReference(const AttentionArguments& arguments, size_t first, size_t last, void* scratch);

}  // namespace vitrine::kernels
