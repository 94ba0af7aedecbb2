// SPDX-License-Identifier: Apache-2.0
// Linear in dynamic int8 by a kernel of ours, where that is faster than XNNPACK's.
#pragma once

#include "runtime/ops/op.h"

namespace vitrine {

/// Returns whether the kernel of a processor with this kernels::LinearInt8Group is faster for `rows` rows of
/// `inputs` elements.
bool IsFasterInt8(size_t rows, size_t inputs, size_t group);

/// Makes the operator; MakeLinear has checked its shapes. The input is QD8, the weight QC8W.
MadeOp MakeLinearInt8(const Program& program, const schema::Linear& op);

}  // namespace vitrine
