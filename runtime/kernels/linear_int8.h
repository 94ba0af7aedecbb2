// SPDX-License-Identifier: Apache-2.0
// A linear layer of int8 rows and int8 weights, for CPUs on which XNNPACK's kernels are slow:
//
//   plain NEON   XNNPACK: 3.1 products per instruction; here: 4.2
//   i8mm         XNNPACK: 2.6 instructions per matrix product; here: 1.8
//
// On CPUs with dot products and without i8mm, XNNPACK's assembly is as fast.
//
//   out[t, n] = (sum over k of input[t, k] * weight[n, k] - zero_point[t] * sum over k of weight[n, k])
//               * scale[t] * scales[n] + bias[n]
//
// The sums are exact in 32 bits. Only the scaling rounds: each value is within 3e-7 of the largest of its
// terms.
#pragma once

#include "runtime/kernels/rows.h"

namespace vitrine::kernels {

/// The weights to pack.
struct LinearInt8Weights {
  const int8_t* weight = nullptr;  ///< [N, K], in [-127, 127]
  const float* scales = nullptr;   ///< [N]
  const float* bias = nullptr;     ///< [N] or null
  size_t N = 0;
  size_t K = 0;  ///< at most kLinearInt8LargestK
};

/// The largest K. Longer sums could exceed 32 bits.
constexpr size_t kLinearInt8LargestK = size_t{1} << 16;

/// Arguments of LinearInt8Tile. out_stride and input_stride are in elements.
struct LinearInt8Arguments {
  const int8_t* input = nullptr;  ///< [T, K]
  size_t input_stride = 0;
  const RowQuantization* quantization = nullptr;  ///< [T]
  const void* packed = nullptr;
  float* out = nullptr;  ///< [T, N]
  size_t out_stride = 0;
  size_t N = 0;
  size_t K = 0;
};

/// Tiles of a multiple of this many rows and columns use all lanes. The first column must be a multiple of
/// it. All sizes give the same result.
constexpr size_t kLinearInt8Tile = 8;

/// Returns the number of bytes of a row that this CPU's kernel multiplies at a time: 16 (plain NEON), 8
/// (i8mm), or 0 without such a kernel. Layouts of packed weights differ only in this number.
size_t LinearInt8Group();
inline bool HasLinearInt8() { return LinearInt8Group() != 0; }

/// Returns the size of packed weights, about 1.03 times the size of the weights. Align to 64.
size_t LinearInt8PackedBytes(size_t N, size_t K);

/// Packs the weights for kernels with this `group`, on any CPU. The weights are not needed afterwards.
void PackLinearInt8(const LinearInt8Weights& weights, size_t group, void* packed);

/// Returns the bytes of scratch memory that a thread needs for LinearInt8Tile. Align to 64.
size_t LinearInt8ScratchBytes(size_t K);

/// Writes rows [first_row, last_row) and columns [first_column, last_column) of the output. The bytes do not
/// depend on how the output is split. Does not allocate.
void LinearInt8Tile(const LinearInt8Arguments& arguments, size_t first_row, size_t last_row,
                    size_t first_column, size_t last_column, void* scratch);

/// The same in f64, one element at a time, from weights that are not packed. Ignores arguments.packed.
void LinearInt8Reference(const LinearInt8Arguments& arguments, const LinearInt8Weights& weights,
                         size_t first_row, size_t last_row);

}  // namespace vitrine::kernels
