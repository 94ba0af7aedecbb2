// SPDX-License-Identifier: Apache-2.0
// A function of int8 by a table: what stands between two static int8 linear layers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vitrine::kernels {

/// Writes out[i] = table[x[i] + 128] for i in [0, n); `out` may be x. The table has 256 entries. Exact, 16
/// NEON instructions for 16 bytes on 64-bit ARM. Does not allocate.
void TableBytes(const int8_t* x, size_t n, const int8_t* table, int8_t* out);

/// The same, one element at a time.
void TableBytesReference(const int8_t* x, size_t n, const int8_t* table, int8_t* out);

}  // namespace vitrine::kernels
