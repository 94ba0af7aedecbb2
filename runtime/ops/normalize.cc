// SPDX-License-Identifier: Apache-2.0
// Normalize: adds to the residual, normalizes (LayerNorm) and quantizes in one pass over the rows.
#include "runtime/base/status.h"
#include "runtime/kernels/norm_rows.h"
#include "runtime/ops/check.h"
#include "runtime/ops/op.h"
#include "runtime/ops/rows.h"

namespace vitrine {
namespace {

using schema::Type;

class NormalizeOp final : public Op {
 public:
  NormalizeOp(const Program& program, const schema::Normalize& op)
      : program_(program),
        residual_(op.residual()),
        delta_(op.delta()),
        output_(op.output()),
        gamma_(op.gamma()),
        beta_(op.beta()),
        rows_(program.tensor(op.output()).rows) {
    arguments_.D = program.tensor(op.output()).columns;
    arguments_.x_stride = arguments_.delta_stride = arguments_.D;
    arguments_.epsilon = op.epsilon();
  }

  Operands operands() const override {
    if (delta_ < 0) return {{residual_}, output_};
    return {{delta_}, output_, residual_};
  }

  OpCost cost() const override {
    const int64_t affine = (gamma_ >= 0) + (beta_ >= 0);
    return {"Normalize", TypeOfRows(program_, output_), 0, affine * static_cast<int64_t>(arguments_.D)};
  }

  Status Create(PackedWeights&) override {
    for (const int constant : {gamma_, beta_}) {
      if (constant >= 0) VITRINE_RETURN_IF_ERROR(program_.CheckConstant(constant));
    }
    arguments_.gamma = gamma_ >= 0 ? program_.constant(gamma_).f32() : nullptr;
    arguments_.beta = beta_ >= 0 ? program_.constant(beta_).f32() : nullptr;
    return {};
  }

  Status Reshape(pthreadpool_t pool, size_t* scratch_bytes) override {
    scratch_stride_ = RoundUp(kernels::RowScratchBytes(arguments_.D));
    *scratch_bytes = ThreadCount(pool) * scratch_stride_;
    return {};
  }

  Status Setup(const Memory& memory) override {
    arguments_.x = memory.tensor<float>(residual_);
    arguments_.delta = memory.tensor<float>(delta_);
    arguments_.out = RowsOf(program_, memory, output_, &fixed_);
    scratch_ = memory.scratch();
    return {};
  }

  void Run(pthreadpool_t pool) override {
    ForRows(pool, rows_, TileRows(pool, rows_), [&](size_t thread, size_t first, size_t last) {
      kernels::NormRows(arguments_, first, last, scratch_ + thread * scratch_stride_);
    });
  }

 private:
  Program program_;
  int residual_, delta_, output_, gamma_, beta_;
  size_t rows_;
  kernels::NormRowsArguments arguments_;
  kernels::RowQuantization fixed_ = {};
  std::byte* scratch_ = nullptr;
  size_t scratch_stride_ = 0;
};

}  // namespace

MadeOp MakeNormalize(const Program& program, const schema::Normalize& op) {
  VITRINE_RETURN_IF_ERROR(CheckOutput(program, "output", op.output(), {Type::F32, Type::QD8, Type::QS8},
                                      {Shape::kAny, Shape::kAny}));
  const TensorInfo output = program.tensor(op.output());
  VITRINE_RETURN_IF_ERROR(
      CheckInput(program, "residual", op.residual(), {Type::F32}, {output.rows, output.columns}));
  if (op.delta() != -1) {
    VITRINE_RETURN_IF_ERROR(
        CheckInput(program, "delta", op.delta(), {Type::F32}, {output.rows, output.columns}));
  }
  VITRINE_RETURN_IF_ERROR(CheckNorm(program, op.gamma(), op.beta(), op.epsilon(), output.columns));
  return std::unique_ptr<Op>(new NormalizeOp(program, op));
}

}  // namespace vitrine
