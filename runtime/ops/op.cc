// SPDX-License-Identifier: Apache-2.0
// MakeOp: calls the maker of each kind of operator.
#include "runtime/ops/op.h"

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

}  // namespace

MadeOp MakeOp(const Program& program, int index) {
  const schema::Operator& op = program.op(index);
  MadeOp made = MakeKind(program, op);
  if (made.ok()) return made;
  return Status::Error(made.status().code(), "%.80s: %s", op.name()->c_str(), made.status().message());
}

}  // namespace vitrine
