// SPDX-License-Identifier: Apache-2.0
// Activate: applies the function between two linear layers, gated or not, and quantizes its result. Where
// input and output are static int8, it uses a table.
#include <algorithm>
#include <array>
#include <cmath>

#include "runtime/base/status.h"
#include "runtime/kernels/activation_rows.h"
#include "runtime/ops/check.h"
#include "runtime/ops/op.h"
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

/// From QS8 to QS8: the table maps each byte to the byte nearest to the function of its value.
class ActivateTableOp final : public Op {
 public:
  ActivateTableOp(const Program& program, const schema::Activate& op)
      : input_(op.input()),
        output_(op.output()),
        rows_(program.tensor(op.output()).rows),
        columns_(program.tensor(op.output()).columns) {
    const TensorInfo input = program.tensor(input_), output = program.tensor(output_);
    const kernels::Activation activation = ActivationOf(op.function());
    for (int i = 0; i < 256; ++i) {
      const double value = double{input.scale} * (i - 128 - input.zero_point);
      const double steps = kernels::ExactActivation(activation, value) / double{output.scale};
      const double byte = std::clamp(std::nearbyint(steps) + output.zero_point, -128.0, 127.0);
      table_[static_cast<size_t>(i)] = static_cast<int8_t>(byte);
    }
  }

  Operands operands() const override { return {{input_, -1, -1}, output_}; }
  OpCost cost() const override { return {"Activate", "qs8"}; }

  Status Setup(const Memory& memory) override {
    x_ = memory.tensor<int8_t>(input_);
    out_ = memory.tensor<int8_t>(output_);
    return {};
  }

  void Run(pthreadpool_t pool) override {
    ForRows(pool, rows_, TileRows(pool, rows_), [&](size_t, size_t first, size_t last) {
      kernels::TableBytes(x_ + first * columns_, (last - first) * columns_, table_.data(),
                          out_ + first * columns_);
    });
  }

 private:
  int input_, output_;
  size_t rows_, columns_;
  std::array<int8_t, 256> table_;
  const int8_t* x_ = nullptr;
  int8_t* out_ = nullptr;
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
  VITRINE_RETURN_IF_ERROR(
      CheckInput(program, "input", op.input(), {Type::F32, Type::QS8}, {output.rows, columns}));
  if (program.tensor(op.input()).type == Type::QS8) {
    if (output.type != Type::QS8 || op.gated())
      return Status::Error(Code::kInvalidModel, "a QS8 input needs a QS8 output and no gate");
    return std::unique_ptr<Op>(new ActivateTableOp(program, op));
  }
  return std::unique_ptr<Op>(new ActivateOp(program, op));
}

}  // namespace vitrine
