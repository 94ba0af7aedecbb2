// SPDX-License-Identifier: Apache-2.0
// Multi-head attention in f32: softmax(Q * K^T) * V, one tile of query rows over all heads at a time.
//
//   once a head:      PackAttentionHead(head)      keys -> panels that the tiles share
//   ---- all heads packed ----
//   once a tile:      AttentionTile(first, last)   Q * K^T, softmax, * V, head by head; then the rows are written
#pragma once

#include "runtime/kernels/rows.h"

namespace vitrine::kernels {

/// What attention works on. Head h has the columns [h * K, h * K + K) of query, key, value
/// and out; any K >= 1.
/// The three may be columns of one matrix. The scale 1 / sqrt(K) is already in the query.
struct AttentionArguments {
  const float* query = nullptr;  ///< [Tq, H * K]
  size_t query_stride = 0;
  const float* key = nullptr;  ///< [T, H * K]
  size_t key_stride = 0;
  const float* value = nullptr;  ///< [T, H * K]
  size_t value_stride = 0;
  size_t T = 0;   ///< keys and values, >= 1
  size_t Tq = 0;  ///< queries, >= 1: 1 where only the class token is read
  size_t H = 0;
  size_t K = 0;
  OutputRows out;  ///< [Tq, H * K]; a quantized row spans all heads
  /// Relative position bias or none: [H, PositionBiasPlaces(grid)], added to the scores; T = 1 + grid_height
  /// * grid_width. For patches at (y, x) and (y', x') that is place
  ///     (y - y' + height - 1) * (2 * width - 1) + x - x' + width - 1
  /// and the last three are class token to patch, patch to class token, class token to itself.
  const float* bias = nullptr;
  size_t grid_height = 0, grid_width = 0;
  /// The binary logarithm of how many tokens each key stands for, [T], >= 0, or none. A key that stands for n
  /// counts n times: proportional attention (Token Merging, Bolya et al. 2023, section 3).
  const float* size_log2 = nullptr;
};

/// Returns how many biases a head has for a grid of patches and a class token.
constexpr size_t PositionBiasPlaces(size_t grid_height, size_t grid_width) {
  return (2 * grid_height - 1) * (2 * grid_width - 1) + 3;
}

/// Tiles of a multiple of this many query rows leave no lane idle; any other size gives the same result.
constexpr size_t kAttentionTileRows = 16;

/// Returns the bytes that the packed keys of all heads need. Shared by all threads; align to 64.
size_t AttentionPackedBytes(size_t T, size_t H, size_t K);

/// Returns the bytes of scratch that a thread needs for AttentionTile. Align to 64.
size_t AttentionScratchBytes(size_t T, size_t H, size_t K);

/// Packs the keys of one head into `packed`. Heads may be packed in any order, on any thread.
void PackAttentionHead(const AttentionArguments& arguments, size_t head, void* packed);

/// Writes rows [first, last) of the output. Every head must be packed before. Does not allocate; the bytes
/// written do not depend on how the rows are split into tiles.
void AttentionTile(const AttentionArguments& arguments, const void* packed, size_t first, size_t last,
                   void* scratch);

/// Returns the bytes of scratch that a thread needs for AttentionMean. Align to 64.
size_t AttentionMeanScratchBytes(size_t T, size_t K);

/// Sets rows [first, last) of `mean` [Tq, T] to what each query attends to: the probabilities of the keys,
/// averaged over the heads. Reads neither value nor out. Every head must be packed before. Does not allocate;
/// at most 1e-6 from the reference.
void AttentionMean(const AttentionArguments& arguments, const void* packed, size_t first, size_t last,
                   float* mean, void* scratch);

/// The same in f64.
void AttentionMeanReference(const AttentionArguments& arguments, size_t first, size_t last, float* mean);

/// AttentionTile without packing, in f64, one element at a time; `scratch` is RowScratchBytes(H * K).
void AttentionReference(const AttentionArguments& arguments, size_t first, size_t last, void* scratch);

}  // namespace vitrine::kernels
