// SPDX-License-Identifier: Apache-2.0
// RotateHeads: applies rotary positions to the queries or keys of the patches, in place.
#include "runtime/base/status.h"
#include "runtime/kernels/row_kernels.h"
#include "runtime/ops/check.h"
#include "runtime/ops/op.h"
#include "runtime/ops/rows.h"

namespace vitrine {
namespace {

using schema::Type;

class RotateHeadsOp final : public Op {
 public:
  RotateHeadsOp(const Program& program, const schema::RotateHeads& op)
      : program_(program),
        tensor_(op.tensor()),
        table_(op.table()),
        column_(op.column()),
        first_row_(op.first_row()),
        rows_(program.constant(op.table()).rows) {
    arguments_.x_stride = program.tensor(op.tensor()).columns;
    arguments_.H = op.heads();
    arguments_.K = op.head_size();
  }

  Operands operands() const override { return {{}, -1, tensor_}; }
  OpCost cost() const override { return {"RotateHeads", "f32"}; }

  Status Create(PackedWeights&) override {
    arguments_.table = program_.constant(table_).f32();
    return program_.CheckConstant(table_);
  }

  Status Setup(const Memory& memory) override {
    arguments_.x = memory.tensor<float>(tensor_) + first_row_ * arguments_.x_stride + column_;
    return {};
  }

  void Run(pthreadpool_t pool) override {
    ForRows(pool, rows_, TileRows(pool, rows_),
            [&](size_t, size_t first, size_t last) { kernels::RotateRows(arguments_, first, last); });
  }

 private:
  Program program_;
  int tensor_, table_;
  size_t column_, first_row_, rows_;
  kernels::RotateRowsArguments arguments_;
};

}  // namespace

MadeOp MakeRotateHeads(const Program& program, const schema::RotateHeads& op) {
  VITRINE_RETURN_IF_ERROR(CheckHeads(op.heads(), op.head_size()));
  if (op.head_size() % 2 != 0)
    return Status::Error(Code::kInvalidModel, "heads have %u columns, expected an even number",
                         op.head_size());
  VITRINE_RETURN_IF_ERROR(CheckColumns(program, "tensor", op.tensor(), Shape::kAny, op.column(),
                                       size_t{op.heads()} * op.head_size()));
  const TensorInfo tensor = program.tensor(op.tensor());
  if (op.first_row() >= tensor.rows) {
    return Status::Error(Code::kInvalidModel, "the first patch is row %u, the tensor has %zu rows",
                         op.first_row(), tensor.rows);
  }
  VITRINE_RETURN_IF_ERROR(CheckConstant(program, "table", op.table(), {Type::F32},
                                        {tensor.rows - op.first_row(), op.head_size()}));
  return std::unique_ptr<Op>(new RotateHeadsOp(program, op));
}

}  // namespace vitrine
