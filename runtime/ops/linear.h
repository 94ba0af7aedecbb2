// SPDX-License-Identifier: Apache-2.0
// The parts of Linear: the implementations that MakeLinear chooses from, and packing weights for another CPU.
#pragma once

#include "runtime/ops/op.h"
#include "runtime/ops/packing/packed_layout.h"

namespace vitrine {

/// Returns the cost of a Linear with this weight and `rows` rows. `type` is XNNPACK's name of its types.
OpCost CostOfLinear(const char* type, size_t rows, const ConstantInfo& weight, bool has_bias);

/// Returns XNNPACK's name of int8 weights with this input type and f32 output.
const char* TypeOfInt8(schema::Type input);

/// Returns whether our int8 kernel is faster than XNNPACK's for `rows` rows of `inputs` elements, on a CPU
/// with this kernels::LinearInt8Group().
bool IsFasterInt8(size_t rows, size_t inputs, size_t group);

/// Makes a Linear that uses our int8 kernel. The input is QD8 or QS8, the weight QC8W. MakeLinear() has
/// checked the shapes.
MadeOp MakeLinearInt8(const Program& program, const schema::Linear& op);

/// Makes a Linear with static int8 input and output. Both are QS8, the weight is QC8W. MakeLinear() has
/// checked the shapes.
MadeOp MakeLinearStatic(const Program& program, const schema::Linear& op);

/// Verifies a Linear's constants and packs them for `layout`, unless another Linear has packed them, or their
/// kernel is one of OwnLayoutChecksum()'s. Fails with kInvalidModel when they are damaged, or kOutOfMemory.
Status PackLinear(const Program& program, const schema::Linear& op, const PackedLayout& layout,
                  PackedWeights& packed);

}  // namespace vitrine
