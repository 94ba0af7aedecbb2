// SPDX-License-Identifier: Apache-2.0
// Add: residual += delta, where no Normalize follows to do it.
#include "runtime/base/status.h"
#include "runtime/ops/check.h"
#include "runtime/ops/op.h"
#include "runtime/ops/rows.h"

namespace vitrine {
namespace {

using schema::Type;

class AddOp final : public Op {
 public:
  AddOp(const Program& program, const schema::Add& op)
      : residual_index_(op.residual()),
        delta_index_(op.delta()),
        rows_(program.tensor(op.delta()).rows),
        columns_(program.tensor(op.delta()).columns) {}

  Operands operands() const override { return {{delta_index_}, -1, residual_index_}; }
  OpCost cost() const override { return {"Add", "f32"}; }

  Status Setup(const Memory& memory) override {
    residual_ = memory.tensor<float>(residual_index_);
    delta_ = memory.tensor<float>(delta_index_);
    return {};
  }

  void Run(pthreadpool_t pool) override {
    ForRows(pool, rows_, TileRows(pool, rows_), [&](size_t, size_t first, size_t last) {
      for (size_t i = first * columns_; i < last * columns_; ++i) residual_[i] += delta_[i];
    });
  }

 private:
  int residual_index_, delta_index_;
  size_t rows_, columns_;
  float* residual_ = nullptr;
  const float* delta_ = nullptr;
};

}  // namespace

MadeOp MakeAdd(const Program& program, const schema::Add& op) {
  VITRINE_RETURN_IF_ERROR(CheckInput(program, "delta", op.delta(), {Type::F32}, {Shape::kAny, Shape::kAny}));
  const TensorInfo delta = program.tensor(op.delta());
  VITRINE_RETURN_IF_ERROR(
      CheckInput(program, "residual", op.residual(), {Type::F32}, {delta.rows, delta.columns}));
  return std::unique_ptr<Op>(new AddOp(program, op));
}

}  // namespace vitrine
