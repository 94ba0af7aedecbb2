// SPDX-License-Identifier: Apache-2.0
// Rows of f32 become rows of int8.
#pragma once

#include "runtime/kernels/rows.h"

namespace vitrine::kernels {

/// Writes rows [first, last) of x f32 [T, columns] to `out`, kQd8 or kQs8. x may hold anything; columns >= 1.
///
/// The result is within half a step of the value, plus 1e-4 of a step; a kQs8 value out of range saturates.
/// Rows are computed one by one, so any split over threads gives the same bytes. Does not allocate.
void QuantizeRows(const float* x, size_t x_stride, size_t columns, const OutputRows& out, size_t first,
                  size_t last);

/// The same, one element at a time.
void QuantizeRowsReference(const float* x, size_t x_stride, size_t columns, const OutputRows& out,
                           size_t first, size_t last);

}  // namespace vitrine::kernels
