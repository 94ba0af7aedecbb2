// SPDX-License-Identifier: Apache-2.0
// A function of int8 by a table, one element at a time.
#include "runtime/kernels/table_rows.h"

namespace vitrine::kernels {

void TableBytesReference(const int8_t* x, size_t n, const int8_t* table, int8_t* out) {
  for (size_t i = 0; i < n; ++i) out[i] = table[x[i] + 128];
}

}  // namespace vitrine::kernels
