// SPDX-License-Identifier: Apache-2.0
// Linear in static int8 on both sides: the input's and the output's scale and zero point are the file's.
#pragma once

#include "runtime/ops/op.h"

namespace vitrine {

/// Makes the operator; MakeLinear has checked its shapes. Input and output are QS8, the weight QC8W.
MadeOp MakeLinearStatic(const Program& program, const schema::Linear& op);

}  // namespace vitrine
