// SPDX-License-Identifier: Apache-2.0
// Makes the operators of a program, and finds the live ranges of its tensors.
#include "runtime/ops/op.h"

#include <algorithm>

#include "runtime/base/status.h"

namespace vitrine {
namespace {

MadeOp MakeKind(const Program& program, const schema::Operator& op) {
  switch (op.kind_type()) {
    case schema::Kind::PixelsToRows:
      return MakePixelsToRows(program, *op.kind_as_PixelsToRows());
    case schema::Kind::Linear:
      return MakeLinear(program, *op.kind_as_Linear());
    case schema::Kind::AddPositions:
      return MakeAddPositions(program, *op.kind_as_AddPositions());
    case schema::Kind::Normalize:
      return MakeNormalize(program, *op.kind_as_Normalize());
    case schema::Kind::Attention:
      return MakeAttention(program, *op.kind_as_Attention());
    case schema::Kind::Activate:
      return MakeActivate(program, *op.kind_as_Activate());
    case schema::Kind::Pool:
      return MakePool(program, *op.kind_as_Pool());
    case schema::Kind::Add:
      return MakeAdd(program, *op.kind_as_Add());
    case schema::Kind::NormalizeHeads:
      return MakeNormalizeHeads(program, *op.kind_as_NormalizeHeads());
    case schema::Kind::RotateHeads:
      return MakeRotateHeads(program, *op.kind_as_RotateHeads());
    case schema::Kind::MergeTokens:
      return MakeMergeTokens(program, *op.kind_as_MergeTokens());
    case schema::Kind::Fill:
      return MakeFill(program, *op.kind_as_Fill());
    case schema::Kind::NONE:
      break;
  }
  return Status::Error(Code::kUnsupportedModel, "operator kind %d is newer than this runtime",
                       static_cast<int>(op.kind_type()));
}

void Touch(LiveRange& range, int step) {
  if (range.last < range.first) range = {step, step};
  range.last = std::max(range.last, step);
}

/// Checks that operator `step` reads only written tensors and writes each tensor once; adds it to their
/// ranges.
Status TouchOperands(const Operands& operands, int step, const char* name, std::vector<LiveRange>& ranges) {
  const auto range = [&](int tensor) -> LiveRange& { return ranges[static_cast<size_t>(tensor)]; };
  const auto& reads = operands.reads.tensors;
  for (const int tensor : {reads[0], reads[1], reads[2], reads[3], operands.updates}) {
    if (tensor < 0) continue;
    if (range(tensor).last < range(tensor).first) {
      return Status::Error(Code::kInvalidModel, "%.80s reads tensor %d, which no operator has written", name,
                           tensor);
    }
    Touch(range(tensor), step);
  }
  for (const int tensor : reads) {
    const bool changed = tensor == operands.writes || tensor == operands.updates || tensor == operands.beside;
    if (tensor >= 0 && changed)
      return Status::Error(Code::kInvalidModel, "%.80s reads and changes tensor %d", name, tensor);
  }
  if (operands.writes >= 0 && (operands.writes == operands.updates || operands.writes == operands.beside))
    return Status::Error(Code::kInvalidModel, "%.80s writes tensor %d twice", name, operands.writes);
  for (const int tensor : {operands.writes, operands.beside}) {
    if (tensor >= 0) Touch(range(tensor), step);
  }
  return {};
}

}  // namespace

MadeOp MakeOp(const Program& program, int index) {
  const schema::Operator& op = program.op(index);
  MadeOp made = MakeKind(program, op);
  if (made.ok()) return made;
  return Status::Error(made.status().code(), "%.80s: %s", op.name()->c_str(), made.status().message());
}

Result<OpList> MakeOps(const Program& program) {
  OpList ops;
  ops.reserve(static_cast<size_t>(program.operator_count()));
  for (int i = 0; i < program.operator_count(); ++i) {
    MadeOp made = MakeOp(program, i);
    if (!made.ok()) return made.status();
    ops.push_back(std::move(made).value());
  }
  return ops;
}

Result<std::vector<LiveRange>> FindLiveRanges(const Program& program, const OpList& ops) {
  std::vector<LiveRange> ranges(static_cast<size_t>(program.tensor_count()));
  Touch(ranges[static_cast<size_t>(program.input())], 0);
  for (int step = 0; step < program.operator_count(); ++step) {
    VITRINE_RETURN_IF_ERROR(TouchOperands(ops[static_cast<size_t>(step)]->operands(), step,
                                          program.op(step).name()->c_str(), ranges));
  }
  for (const int output : {program.logits(), program.embedding(), program.patch_features()}) {
    if (output < 0) continue;
    LiveRange& range = ranges[static_cast<size_t>(output)];
    if (range.last < range.first)
      return Status::Error(Code::kInvalidModel, "no operator writes output tensor %d", output);
    range.last = program.operator_count();
  }
  return ranges;
}

}  // namespace vitrine
