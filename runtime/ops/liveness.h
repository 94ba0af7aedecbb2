// SPDX-License-Identifier: Apache-2.0
// When each tensor of a program lives: what the arena planner needs, and what shows that no operator reads
// what none wrote.
#pragma once

#include <memory>
#include <vector>
#include <vitrine/status.hpp>

#include "runtime/program/program.h"
#include "runtime/ops/op.h"

namespace vitrine {

/// Steps are operator indices. A tensor that nothing touches has last < first and needs no memory.
struct LiveRange {
  int first = 0;
  int last = -1;
};

using OpList = std::vector<std::unique_ptr<Op>>;

/// Returns every operator of the program, made and checked (MakeOp). Fails as MakeOp does.
Result<OpList> MakeOps(const Program& program);

/// Returns the live range of each tensor: from the first operator that touches it to the last; the
/// input lives from the start and the outputs to the end. Fails with kInvalidModel when an operator
/// reads a tensor that nothing has written, writes one that it also reads as another operand, or when
/// an output is never written.
Result<std::vector<LiveRange>> FindLiveRanges(const Program& program, const OpList& ops);

}  // namespace vitrine
