// SPDX-License-Identifier: Apache-2.0
// A linear layer of int8 rows and int8 weights, for processors on which XNNPACK's own is far from what they
// can do:
//
//   plain NEON   its kernels are written in intrinsics, 3.1 products an instruction; here 4.2
//   i8mm         2.6 instructions a matrix product; here 1.8
//
// Where there are dot products and no more than those, XNNPACK's assembly is as good as this.
//
//   out[t, n] = (sum over k of input[t, k] * weight[n, k] - zero_point[t] * sum over k of weight[n, k])
//               * scale[t] * scales[n] + bias[n]
//
// The sums are exact in 32 bits, so that only the scaling rounds: each value to 3e-7 of the
// largest of its terms.
#pragma once

#include "runtime/kernels/rows.h"

namespace vitrine::kernels {

struct LinearInt8Weights {
  const int8_t* weight = nullptr;  ///< [N, K], in [-127, 127]
  const float* scales = nullptr;   ///< [N]
  const float* bias = nullptr;     ///< [N] or none
  size_t N = 0;
  size_t K = 0;  ///< at most kLinearInt8LargestK
};

/// Longer sums could leave 32 bits.
constexpr size_t kLinearInt8LargestK = size_t{1} << 16;

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

/// Tiles of a multiple of this many rows and columns leave no lane idle. Columns begin at a multiple of it;
/// any number of rows and columns gives the same result.
constexpr size_t kLinearInt8Tile = 8;

/// Returns how many bytes of a row this processor's kernel multiplies at a time, the one thing in which the
/// layouts of packed weights differ: 16 (plain NEON), 8 (i8mm), or 0 where it is none of those above.
size_t LinearInt8Group();
inline bool HasLinearInt8() { return LinearInt8Group() != 0; }

/// Returns the bytes that packed weights need, 1.03 times the weights'. Align to 64.
size_t LinearInt8PackedBytes(size_t N, size_t K);

/// Writes the weights as kernels with that `group` read them, on any processor; they are not needed any more.
void PackLinearInt8(const LinearInt8Weights& weights, size_t group, void* packed);

/// Returns the bytes of scratch that a thread needs for LinearInt8Tile. Align to 64.
size_t LinearInt8ScratchBytes(size_t K);

/// Writes rows [first_row, last_row) and columns [first_column, last_column) of the output. Does not
/// allocate; the bytes written do not depend on how the output is split.
void LinearInt8Tile(const LinearInt8Arguments& arguments, size_t first_row, size_t last_row,
                    size_t first_column, size_t last_column, void* scratch);

/// The same in f64, one element at a time, from the weights as they are; arguments.packed is not read.
void LinearInt8Reference(const LinearInt8Arguments& arguments, const LinearInt8Weights& weights,
                         size_t first_row, size_t last_row);

}  // namespace vitrine::kernels
