// SPDX-License-Identifier: Apache-2.0
// NormalizeHeads: LayerNorm over each head's query or key, in place (QK norm).
#include "runtime/base/status.h"
#include "runtime/kernels/norm_rows.h"
#include "runtime/ops/check.h"
#include "runtime/ops/op.h"
#include "runtime/ops/rows.h"

namespace vitrine {
namespace {

using schema::Type;

class NormalizeHeadsOp final : public Op {
 public:
  NormalizeHeadsOp(const Program& program, const schema::NormalizeHeads& op)
      : program_(program),
        tensor_(op.tensor()),
        gamma_(op.gamma()),
        beta_(op.beta()),
        column_(op.column()),
        heads_(op.heads()),
        rows_(program.tensor(op.tensor()).rows) {
    arguments_.D = op.head_size();
    arguments_.x_stride = arguments_.out.stride = program.tensor(op.tensor()).columns;
    arguments_.epsilon = op.epsilon();
  }

  Operands operands() const override { return {{}, -1, tensor_}; }

  OpCost cost() const override {
    return {"NormalizeHeads", "f32", 0, ((gamma_ >= 0) + (beta_ >= 0)) * static_cast<int64_t>(arguments_.D)};
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
    data_ = memory.tensor<float>(tensor_) + column_;
    scratch_ = memory.scratch();
    return {};
  }

  void Run(pthreadpool_t pool) override {
    ForRows(pool, rows_, TileRows(pool, rows_), [&](size_t thread, size_t first, size_t last) {
      for (size_t head = 0; head < heads_; ++head) {
        kernels::NormRowsArguments arguments = arguments_;
        arguments.x = data_ + head * arguments.D;
        arguments.out.data = arguments.x;
        kernels::NormRows(arguments, first, last, scratch_ + thread * scratch_stride_);
      }
    });
  }

 private:
  Program program_;
  int tensor_, gamma_, beta_;
  size_t column_, heads_, rows_;
  kernels::NormRowsArguments arguments_;
  float* data_ = nullptr;
  std::byte* scratch_ = nullptr;
  size_t scratch_stride_ = 0;
};

}  // namespace

MadeOp MakeNormalizeHeads(const Program& program, const schema::NormalizeHeads& op) {
  VITRINE_RETURN_IF_ERROR(CheckHeads(op.heads(), op.head_size()));
  VITRINE_RETURN_IF_ERROR(CheckColumns(program, "tensor", op.tensor(), Shape::kAny, op.column(),
                                       size_t{op.heads()} * op.head_size()));
  VITRINE_RETURN_IF_ERROR(CheckNorm(program, op.gamma(), op.beta(), op.epsilon(), op.head_size()));
  return std::unique_ptr<Op>(new NormalizeHeadsOp(program, op));
}

}  // namespace vitrine
