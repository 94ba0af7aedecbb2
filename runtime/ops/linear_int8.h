// SPDX-License-Identifier: Apache-2.0
// Linear in int8 by a kernel of ours, where that is faster than XNNPACK's.
#pragma once

#include "runtime/ops/op.h"

namespace vitrine {

/// Returns whether the kernel of a processor with this kernels::LinearInt8Group is faster for `rows` rows of
/// `inputs` elements.
bool IsFasterInt8(size_t rows, size_t inputs, size_t group);

/// How XNNPACK's grammar calls int8 weights with such an input and f32 out.
inline const char* TypeOfInt8(schema::Type input) {
  return input == schema::Type::QS8 ? "qs8_f32_qc8w" : "qd8_f32_qc8w";
}

/// Makes the operator; MakeLinear has checked its shapes. The input is QD8 or QS8, the weight QC8W.
MadeOp MakeLinearInt8(const Program& program, const schema::Linear& op);

}  // namespace vitrine
