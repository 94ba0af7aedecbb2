// SPDX-License-Identifier: Apache-2.0
// Linear: output = input * weight^T + bias, by XNNPACK's fully-connected operators.
// The types of its tensors say which: f32, f32_qc8w (weights alone in int8) or qd8_f32_qc8w (dynamic int8),
// which on some processors is linear_int8.cc's.
#include <xnnpack.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "runtime/kernels/linear_int8.h"
#include "runtime/ops/check.h"
#include "runtime/ops/linear_int8.h"
#include "runtime/ops/op.h"
#include "runtime/ops/packed_layout.h"
#include "runtime/ops/packed_weights.h"

namespace vitrine {
namespace {

using schema::Type;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Which kernel reads the weights on a processor with this kernels::LinearInt8Group.
PackedKernel KernelOf(const Program& program, int weight, int input, size_t rows, size_t group) {
  if (program.constant(weight).type == Type::F32) return PackedKernel::kF32;
  if (program.tensor(input).type != Type::QD8) return PackedKernel::kF32Qc8w;
  return IsFasterInt8(rows, program.constant(weight).columns, group) ? PackedKernel::kLinearInt8
                                                                     : PackedKernel::kQd8F32Qc8w;
}

/// The bias as f32_qc8w takes it: these kernels add it before they multiply by the scale, unlike all others.
std::vector<float> ScaledBias(const ConstantInfo& weight, const float* bias) {
  std::vector<float> scaled(weight.rows, 0.0f);
  for (size_t i = 0; bias != nullptr && i < scaled.size(); ++i) scaled[i] = bias[i] / weight.scales()[i];
  return scaled;
}

class LinearOp final : public Op {
 public:
  LinearOp(const Program& program, const schema::Linear& op)
      : program_(program),
        input_(op.input()),
        output_(op.output()),
        weight_(op.weight()),
        bias_(op.bias()),
        rows_(program.tensor(op.output()).rows),
        dynamic_(program.tensor(op.input()).type == Type::QD8) {}

  ~LinearOp() override {
    if (operator_ != nullptr) xnn_delete_operator(operator_);
  }

  Operands operands() const override { return {{input_}, output_}; }

  OpCost cost() const override {
    const ConstantInfo weight = program_.constant(weight_);
    const int64_t n = static_cast<int64_t>(weight.rows), k = static_cast<int64_t>(weight.columns);
    const char* type = weight.type == Type::F32 ? "f32" : dynamic_ ? "qd8_f32_qc8w" : "f32_qc8w";
    return {"Linear", type, static_cast<int64_t>(rows_) * n * k, n * k + (bias_ >= 0 ? n : 0)};
  }

  std::array<int, 2> packed_constants() const override { return {weight_, bias_}; }

  Status Create(PackedWeights& packed) override {
    const ConstantInfo weight = program_.constant(weight_);
    const size_t n = weight.rows, k = weight.columns;
    packed.Begin(weight_, bias_, KernelOf(program_, weight_, input_, rows_, 0));
    const bool ready = packed.ready(n * k * (weight.type == Type::F32 ? sizeof(float) : 1));
    if (!ready) {
      VITRINE_RETURN_IF_ERROR(program_.CheckConstant(weight_));
      if (bias_ >= 0) VITRINE_RETURN_IF_ERROR(program_.CheckConstant(bias_));
    }
    const float* bias = bias_ >= 0 ? program_.constant(bias_).f32() : nullptr;
    xnn_weights_cache_provider* const cache = packed.provider();
    xnn_status status;
    if (weight.type == Type::F32) {
      status = xnn_create_fully_connected_nc_f32(k, n, k, n, weight.f32(), bias, -kInfinity, kInfinity, 0,
                                                 nullptr, cache, &operator_);
    } else if (dynamic_) {
      status =
          xnn_create_fully_connected_nc_qd8_f32_qc8w(k, n, k, n, weight.scales(), weight.int8(), bias,
                                                     -kInfinity, kInfinity, 0, nullptr, cache, &operator_);
    } else {
      const std::vector<float> scaled_bias = ScaledBias(weight, ready ? nullptr : bias);
      status = xnn_create_fully_connected_nc_f32_qc8w(k, n, k, n, weight.scales(), weight.int8(),
                                                      scaled_bias.data(), -kInfinity, kInfinity, 0, nullptr,
                                                      cache, &operator_);
    }
    return Check(status, "create");
  }

  Status Reshape(pthreadpool_t pool, size_t* scratch_bytes) override {
    *scratch_bytes = 0;
    if (program_.constant(weight_).type == Type::F32)
      return Check(xnn_reshape_fully_connected_nc_f32(operator_, rows_, pool), "reshape");
    if (dynamic_) {
      *scratch_bytes = (rows_ + XNN_EXTRA_QUANTIZATION_PARAMS) * sizeof(xnn_quantization_params);
      return Check(xnn_reshape_fully_connected_nc_qd8_f32_qc8w(operator_, rows_, pool), "reshape");
    }
    return Check(xnn_reshape_fully_connected_nc_f32_qc8w(operator_, rows_, pool), "reshape");
  }

  Status Setup(const Memory& memory) override {
    float* output = memory.tensor<float>(output_);
    if (program_.constant(weight_).type == Type::F32) {
      return Check(xnn_setup_fully_connected_nc_f32(operator_, memory.tensor<float>(input_), output),
                   "setup");
    }
    if (!dynamic_) {
      return Check(xnn_setup_fully_connected_nc_f32_qc8w(operator_, memory.tensor<float>(input_), output),
                   "setup");
    }
    row_quantization_ = reinterpret_cast<const xnn_quantization_params*>(
        memory.tensor<std::byte>(input_) + program_.tensor(input_).row_quantization_offset());
    padded_ = reinterpret_cast<xnn_quantization_params*>(memory.scratch());
    return Check(
        xnn_setup_fully_connected_nc_qd8_f32_qc8w(operator_, memory.tensor<int8_t>(input_), output, padded_),
        "setup");
  }

  void Run(pthreadpool_t pool) override {
    if (dynamic_) PadRowQuantization();
    xnn_run_operator(operator_, pool);
  }

 private:
  /// A tile that is not full computes its last row again in place of those that it lacks, with the
  /// quantization found beyond that row, so this must be the last row's.
  void PadRowQuantization() {
    std::copy_n(row_quantization_, rows_, padded_);
    std::fill_n(padded_ + rows_, XNN_EXTRA_QUANTIZATION_PARAMS, row_quantization_[rows_ - 1]);
  }

  static Status Check(xnn_status status, const char* phase) {
    if (status == xnn_status_success) return {};
    if (status == xnn_status_out_of_memory)
      return Status::Error(Code::kOutOfMemory, "no memory for packed weights");
    return Status::Error(Code::kInternal, "XNNPACK refused to %s a fully-connected operator (status %d)",
                         phase, static_cast<int>(status));
  }

  Program program_;
  int input_, output_, weight_, bias_;
  size_t rows_;
  bool dynamic_;
  xnn_operator_t operator_ = nullptr;
  const xnn_quantization_params* row_quantization_ = nullptr;  // of the input
  xnn_quantization_params* padded_ = nullptr;                  // scratch
};

}  // namespace

MadeOp MakeLinear(const Program& program, const schema::Linear& op) {
  VITRINE_RETURN_IF_ERROR(
      CheckConstant(program, "weight", op.weight(), {Type::F32, Type::QC8W}, {Shape::kAny, Shape::kAny}));
  const ConstantInfo weight = program.constant(op.weight());
  VITRINE_RETURN_IF_ERROR(
      CheckOutput(program, "output", op.output(), {Type::F32}, {Shape::kAny, weight.rows}));
  const size_t rows = program.tensor(op.output()).rows;
  VITRINE_RETURN_IF_ERROR(
      CheckInput(program, "input", op.input(), {Type::F32, Type::QD8}, {Shape::kAny, Shape::kAny}));
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
  const PackedKernel kernel = KernelOf(program, op.weight(), op.input(), rows, kernels::LinearInt8Group());
  if (kernel == PackedKernel::kLinearInt8) return MakeLinearInt8(program, op);
  return std::unique_ptr<Op>(new LinearOp(program, op));
}

Status PackLinear(const Program& program, const schema::Linear& op, const PackedLayout& layout,
                  PackedWeights& packed) {
  const PackedKernel kernel =
      KernelOf(program, op.weight(), op.input(), program.tensor(op.output()).rows, layout.int8_group);
  packed.Begin(op.weight(), op.bias(), kernel);
  if (packed.ready(1)) return {};
  VITRINE_RETURN_IF_ERROR(program.CheckConstant(op.weight()));
  if (op.bias() >= 0) VITRINE_RETURN_IF_ERROR(program.CheckConstant(op.bias()));
  const ConstantInfo weight = program.constant(op.weight());
  LinearWeights weights = {weight.bytes.data(), nullptr, nullptr, weight.rows, weight.columns};
  if (op.bias() >= 0) weights.bias = program.constant(op.bias()).f32();
  if (kernel != PackedKernel::kF32) weights.scales = weight.scales();
  std::vector<float> scaled_bias;
  if (kernel == PackedKernel::kF32Qc8w) {
    scaled_bias = ScaledBias(weight, weights.bias);
    weights.bias = scaled_bias.data();
  }
  if (Pack(layout, kernel, weights, packed)) return {};
  return Status::Error(Code::kOutOfMemory, "no memory for packed weights");
}

}  // namespace vitrine
