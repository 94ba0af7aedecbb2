// SPDX-License-Identifier: Apache-2.0
// What the plain references share: writing a row that was computed in f32.
#pragma once

#include "runtime/kernels/rows.h"

namespace vitrine::kernels {

/// Writes `n` values as row `row` of `out`, of any type. NaN becomes the zero point.
void WriteRowReference(const float* values, size_t n, const OutputRows& out, size_t row);

}  // namespace vitrine::kernels
