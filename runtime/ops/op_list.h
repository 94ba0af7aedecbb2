// SPDX-License-Identifier: Apache-2.0
// The operators of a program in execution order, and the live range of each tensor: the arena planner needs
// it, and finding it checks that no operator reads a tensor before another one has written it.
#pragma once

#include <memory>
#include <vector>
#include <vitrine/status.hpp>

#include "runtime/ops/op.h"
#include "runtime/program/program.h"

namespace vitrine {

using OpList = std::vector<std::unique_ptr<Op>>;

/// Returns all operators of the program, made and checked by MakeOp(). Fails as MakeOp() does.
Result<OpList> MakeOps(const Program& program);

/// The first and the last operator that use a tensor. An unused tensor has last < first and needs no memory.
struct LiveRange {
  int first = 0;
  int last = -1;
};

/// Returns the live range of each tensor. The input lives from the start and the outputs to the end. Fails
/// with kInvalidModel when an operator reads a tensor that no operator has written, when it writes a tensor
/// that it also reads or writes as another operand, or when no operator writes an output.
Result<std::vector<LiveRange>> FindLiveRanges(const Program& program, const OpList& ops);

}  // namespace vitrine
