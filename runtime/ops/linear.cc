// SPDX-License-Identifier: Apache-2.0
// Linear: output = input * weight^T + bias, by XNNPACK's fully-connected operators.
// The types of its tensors say which: f32, f32_qc8w (weights alone in int8) or qd8_f32_qc8w (dynamic int8).
#include <xnnpack.h>

#include <limits>

#include "runtime/ops/check.h"
#include "runtime/ops/op.h"

namespace vitrine {
namespace {

using schema::Type;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

class LinearOp final : public Op {
 public:
  LinearOp(const Program& program, const schema::Linear& op)
      : program_(program), input_(op.input()), output_(op.output()), weight_(op.weight()), bias_(op.bias()),
        rows_(program.tensor(op.output()).rows) {}

  ~LinearOp() override {
    if (operator_ != nullptr) xnn_delete_operator(operator_);
  }

  Operands operands() const override { return {{input_, -1, -1}, {output_, -1}}; }

  OpCost cost() const override {
    const ConstantInfo weight = program_.constant(weight_);
    const int64_t n = static_cast<int64_t>(weight.rows), k = static_cast<int64_t>(weight.columns);
    const char* type = weight.type == Type::F32 ? "f32" : dynamic() ? "qd8_f32_qc8w" : "f32_qc8w";
    return {"Linear", type, static_cast<int64_t>(rows_) * n * k, n * k + (bias_ >= 0 ? n : 0)};
  }

  std::array<int, 2> packed_constants() const override { return {weight_, bias_}; }

  Status Create() override {
    VITRINE_RETURN_IF_ERROR(program_.CheckConstant(weight_));
    if (bias_ >= 0) VITRINE_RETURN_IF_ERROR(program_.CheckConstant(bias_));
    const ConstantInfo weight = program_.constant(weight_);
    const float* bias = bias_ >= 0 ? program_.constant(bias_).f32() : nullptr;
    const size_t n = weight.rows, k = weight.columns;
    xnn_status status;
    if (weight.type == Type::F32) {
      status = xnn_create_fully_connected_nc_f32(k, n, k, n, weight.f32(), bias, -kInfinity, kInfinity, 0, nullptr, nullptr, &operator_);
    } else if (dynamic()) {
      status = xnn_create_fully_connected_nc_qd8_f32_qc8w(k, n, k, n, weight.scales(), weight.int8(), bias, -kInfinity, kInfinity,
                                                          0, nullptr, nullptr, &operator_);
    } else {
      status = xnn_create_fully_connected_nc_f32_qc8w(k, n, k, n, weight.scales(), weight.int8(), bias, -kInfinity, kInfinity, 0,
                                                      nullptr, nullptr, &operator_);
    }
    return Check(status, "create");
  }

  Status Reshape(pthreadpool_t pool, size_t* scratch_bytes) override {
    *scratch_bytes = 0;
    if (program_.constant(weight_).type == Type::F32) return Check(xnn_reshape_fully_connected_nc_f32(operator_, rows_, pool), "reshape");
    if (dynamic()) return Check(xnn_reshape_fully_connected_nc_qd8_f32_qc8w(operator_, rows_, pool), "reshape");
    return Check(xnn_reshape_fully_connected_nc_f32_qc8w(operator_, rows_, pool), "reshape");
  }

  Status Setup(const Memory& memory) override {
    float* output = memory.tensor<float>(output_);
    if (program_.constant(weight_).type == Type::F32) {
      return Check(xnn_setup_fully_connected_nc_f32(operator_, memory.tensor<float>(input_), output), "setup");
    }
    if (!dynamic()) {
      return Check(xnn_setup_fully_connected_nc_f32_qc8w(operator_, memory.tensor<float>(input_), output), "setup");
    }
    const auto* quantization = reinterpret_cast<const xnn_quantization_params*>(
        memory.tensor<std::byte>(input_) + program_.tensor(input_).row_quantization_offset());
    return Check(xnn_setup_fully_connected_nc_qd8_f32_qc8w(operator_, memory.tensor<int8_t>(input_), output, quantization), "setup");
  }

  void Run(pthreadpool_t pool) override { xnn_run_operator(operator_, pool); }

 private:
  bool dynamic() const { return program_.tensor(input_).type == Type::QD8; }

  static Status Check(xnn_status status, const char* phase) {
    if (status == xnn_status_success) return {};
    if (status == xnn_status_out_of_memory) return Status::Error(Code::kOutOfMemory, "no memory for packed weights");
    return Status::Error(Code::kInternal, "XNNPACK refused to %s a fully-connected operator (status %d)", phase, static_cast<int>(status));
  }

  Program program_;
  int input_, output_, weight_, bias_;
  size_t rows_;
  xnn_operator_t operator_ = nullptr;
};

}  // namespace

MadeOp MakeLinear(const Program& program, const schema::Linear& op) {
  VITRINE_RETURN_IF_ERROR(CheckConstant(program, "weight", op.weight(), {Type::F32, Type::QC8W}, {Shape::kAny, Shape::kAny}));
  const ConstantInfo weight = program.constant(op.weight());
  VITRINE_RETURN_IF_ERROR(CheckOutput(program, "output", op.output(), {Type::F32}, {Shape::kAny, weight.rows}));
  const size_t rows = program.tensor(op.output()).rows;
  VITRINE_RETURN_IF_ERROR(CheckInput(program, "input", op.input(), {Type::F32, Type::QD8}, {Shape::kAny, Shape::kAny}));
  const TensorInfo input = program.tensor(op.input());
  const bool flattened = rows == 1 && input.type == Type::F32 && input.elements() == weight.columns;
  if (!flattened) {
    VITRINE_RETURN_IF_ERROR(CheckInput(program, "input", op.input(), {input.type}, {rows, weight.columns}));
  }
  if (input.type == Type::QD8 && weight.type == Type::F32) {
    return Status::Error(Code::kInvalidModel, "the input is QD8 and the weight F32");
  }
  if (op.bias() != -1) {
    VITRINE_RETURN_IF_ERROR(CheckConstant(program, "bias", op.bias(), {Type::F32}, {1, weight.rows}));
  }
  return std::unique_ptr<Op>(new LinearOp(program, op));
}

}  // namespace vitrine
