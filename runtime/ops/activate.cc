// SPDX-License-Identifier: Apache-2.0
// Activate: the function between two linear layers, gated or not, and quantization of what it gives.
#include "runtime/kernels/activation_rows.h"
#include "runtime/ops/check.h"
#include "runtime/ops/op.h"
#include "runtime/ops/parallel.h"
#include "runtime/ops/rows.h"

namespace vitrine {
namespace {

using schema::Type;

kernels::Activation ActivationOf(schema::Function function) {
  switch (function) {
    case schema::Function::Identity:
      return kernels::Activation::kIdentity;
    case schema::Function::GeluErf:
      return kernels::Activation::kGeluErf;
    case schema::Function::GeluTanh:
      return kernels::Activation::kGeluTanh;
    case schema::Function::QuickGelu:
      return kernels::Activation::kQuickGelu;
    case schema::Function::Silu:
      return kernels::Activation::kSilu;
    case schema::Function::Relu:
      return kernels::Activation::kRelu;
    case schema::Function::Tanh:
      return kernels::Activation::kTanh;
  }
  return kernels::Activation::kIdentity;
}

class ActivateOp final : public Op {
 public:
  ActivateOp(const Program& program, const schema::Activate& op)
      : program_(program), input_(op.input()), output_(op.output()), rows_(program.tensor(op.output()).rows) {
    arguments_.M = program.tensor(op.output()).columns;
    arguments_.x_stride = program.tensor(op.input()).columns;
    arguments_.activation = ActivationOf(op.function());
    arguments_.gated = op.gated();
  }

  Operands operands() const override { return {{input_}, output_}; }
  OpCost cost() const override { return {"Activate", TypeOfRows(program_, output_)}; }

  Status Reshape(pthreadpool_t pool, size_t* scratch_bytes) override {
    scratch_stride_ = RoundUp(kernels::RowScratchBytes(arguments_.M));
    *scratch_bytes = ThreadCount(pool) * scratch_stride_;
    return {};
  }

  Status Setup(const Memory& memory) override {
    arguments_.x = memory.tensor<float>(input_);
    arguments_.out = RowsOf(program_, memory, output_, &fixed_);
    scratch_ = memory.scratch();
    return {};
  }

  void Run(pthreadpool_t pool) override {
    ForRows(pool, rows_, TileRows(pool, rows_), [&](size_t thread, size_t first, size_t last) {
      kernels::ActivationRows(arguments_, first, last, scratch_ + thread * scratch_stride_);
    });
  }

 private:
  Program program_;
  int input_, output_;
  size_t rows_;
  kernels::ActivationRowsArguments arguments_;
  kernels::RowQuantization fixed_ = {};
  std::byte* scratch_ = nullptr;
  size_t scratch_stride_ = 0;
};

}  // namespace

MadeOp MakeActivate(const Program& program, const schema::Activate& op) {
  if (op.function() > schema::Function::MAX) {
    return Status::Error(Code::kUnsupportedModel, "function %d is newer than this runtime",
                         static_cast<int>(op.function()));
  }
  VITRINE_RETURN_IF_ERROR(CheckOutput(program, "output", op.output(), {Type::F32, Type::QD8, Type::QS8},
                                      {Shape::kAny, Shape::kAny}));
  const TensorInfo output = program.tensor(op.output());
  const size_t columns = op.gated() ? 2 * output.columns : output.columns;
  VITRINE_RETURN_IF_ERROR(CheckInput(program, "input", op.input(), {Type::F32}, {output.rows, columns}));
  return std::unique_ptr<Op>(new ActivateOp(program, op));
}

}  // namespace vitrine
