// SPDX-License-Identifier: Apache-2.0
// Linear: output = input * weight^T + bias, by XNNPACK's fully-connected operators. The types of its tensors
// select one:
//
//   f32            all in f32
//   f32_qc8w       int8 weights only
//   qd8_f32_qc8w   dynamic int8; on some CPUs by linear_int8.cc
//   qs8_f32_qc8w   static int8 input: the same kernels, with the same quantization for every row
//   qs8_qc8w       static int8 input and output, by linear_static.cc
//   qd8_f32_qb4w   4-bit weights
#include <xnnpack.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/kernels/linear_int8.h"
#include "runtime/ops/check.h"
#include "runtime/ops/linear.h"
#include "runtime/ops/packing/packed_weights.h"
#include "runtime/ops/xnnpack.h"

namespace vitrine {
namespace {

using schema::Type;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Returns the kernel that reads the weights of a Linear on a CPU with this kernels::LinearInt8Group().
PackedKernel KernelOf(const Program& program, int weight, int input, int output, size_t group) {
  const ConstantInfo w = program.constant(weight);
  const TensorInfo out = program.tensor(output);
  if (w.type == Type::F32) return PackedKernel::kF32;
  if (w.type == Type::QB4W) return PackedKernel::kQd8F32Qb4w;
  if (program.tensor(input).type == Type::F32) return PackedKernel::kF32Qc8w;
  if (IsFasterInt8(out.rows, w.columns, group)) return PackedKernel::kLinearInt8;
  return out.type == Type::QS8 ? PackedKernel::kQs8Qc8w : PackedKernel::kQd8F32Qc8w;
}

/// Returns the bias for f32_qc8w, divided by the scales: only these kernels add it before they multiply by
/// the scale.
std::vector<float> ScaledBias(const ConstantInfo& weight, const float* bias) {
  std::vector<float> scaled(weight.rows, 0.0f);
  for (size_t i = 0; bias != nullptr && i < scaled.size(); ++i) scaled[i] = bias[i] / weight.scales()[i];
  return scaled;
}

// The most rows that can be missing from the last tile. XNNPACK documents 10 (XNN_EXTRA_QUANTIZATION_PARAMS),
// but has a tile of 14 rows for 4-bit weights.
constexpr size_t kMissingRows = 16;
static_assert(kMissingRows >= XNN_EXTRA_QUANTIZATION_PARAMS);

class LinearOp final : public Op {
 public:
  LinearOp(const Program& program, const schema::Linear& op)
      : program_(program),
        input_(op.input()),
        output_(op.output()),
        weight_(op.weight()),
        bias_(op.bias()),
        rows_(program.tensor(op.output()).rows),
        int8_(program.tensor(op.input()).type != Type::F32),
        int4_(program.constant(op.weight()).type == Type::QB4W) {}

  ~LinearOp() override {
    if (operator_ != nullptr) xnn_delete_operator(operator_);
  }

  Operands operands() const override { return {{input_}, output_}; }

  OpCost cost() const override {
    const ConstantInfo weight = program_.constant(weight_);
    const char* type = int4_                      ? "qd8_f32_qb4w"
                       : int8_                    ? TypeOfInt8(program_.tensor(input_).type)
                       : weight.type == Type::F32 ? "f32"
                                                  : "f32_qc8w";
    return CostOfLinear(type, rows_, weight, bias_ >= 0);
  }

  std::array<int, 2> packed_constants() const override { return {weight_, bias_}; }

  Status Create(PackedWeights& packed) override {
    const ConstantInfo weight = program_.constant(weight_);
    const size_t n = weight.rows, k = weight.columns;
    packed.Begin(weight_, bias_, KernelOf(program_, weight_, input_, output_, 0));
    const bool ready =
        packed.ready(int4_ ? n * k / 2 : n * k * (weight.type == Type::F32 ? sizeof(float) : 1));
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
    } else if (int4_) {
      constexpr uint8_t kZeroPoint = 8;
      status = xnn_create_fully_connected_nc_qd8_f32_qb4w(
          k, n, k, n, kInt4Block, kZeroPoint, weight.block_scales(), weight.int4(), bias, -kInfinity,
          kInfinity, 0, nullptr, cache, &operator_);
    } else if (int8_) {
      status =
          xnn_create_fully_connected_nc_qd8_f32_qc8w(k, n, k, n, weight.scales(), weight.int8(), bias,
                                                     -kInfinity, kInfinity, 0, nullptr, cache, &operator_);
    } else {
      const std::vector<float> scaled_bias = ScaledBias(weight, ready ? nullptr : bias);
      status = xnn_create_fully_connected_nc_f32_qc8w(k, n, k, n, weight.scales(), weight.int8(),
                                                      scaled_bias.data(), -kInfinity, kInfinity, 0, nullptr,
                                                      cache, &operator_);
    }
    return CheckXnnpack(status, "create a fully-connected operator");
  }

  Status Reshape(pthreadpool_t pool, size_t* scratch_bytes) override {
    *scratch_bytes = int8_ ? (rows_ + kMissingRows) * sizeof(xnn_quantization_params) : 0;
    const auto reshape = program_.constant(weight_).type == Type::F32 ? xnn_reshape_fully_connected_nc_f32
                         : int4_ ? xnn_reshape_fully_connected_nc_qd8_f32_qb4w
                         : int8_ ? xnn_reshape_fully_connected_nc_qd8_f32_qc8w
                                 : xnn_reshape_fully_connected_nc_f32_qc8w;
    return CheckXnnpack(reshape(operator_, rows_, pool), "reshape a fully-connected operator");
  }

  Status Setup(const Memory& memory) override {
    float* output = memory.tensor<float>(output_);
    if (!int8_) {
      const auto setup = program_.constant(weight_).type == Type::F32 ? xnn_setup_fully_connected_nc_f32
                                                                      : xnn_setup_fully_connected_nc_f32_qc8w;
      return CheckXnnpack(setup(operator_, memory.tensor<float>(input_), output),
                          "set up a fully-connected operator");
    }
    const TensorInfo input = program_.tensor(input_);
    fixed_ = {input.zero_point, input.scale};
    if (input.type == Type::QD8) {
      row_quantization_ = reinterpret_cast<const xnn_quantization_params*>(memory.tensor<std::byte>(input_) +
                                                                           input.row_quantization_offset());
    }
    padded_ = reinterpret_cast<xnn_quantization_params*>(memory.scratch());
    const auto setup =
        int4_ ? xnn_setup_fully_connected_nc_qd8_f32_qb4w : xnn_setup_fully_connected_nc_qd8_f32_qc8w;
    return CheckXnnpack(setup(operator_, memory.tensor<int8_t>(input_), output, padded_),
                        "set up a fully-connected operator");
  }

  void Run(pthreadpool_t pool) override {
    if (int8_) PadRowQuantization();
    xnn_run_operator(operator_, pool);
  }

 private:
  /// Copies the rows' quantization and repeats the last one. XNNPACK's kernels compute the last row again in
  /// place of rows that are missing from the last tile, and read their quantization beyond that row.
  void PadRowQuantization() {
    if (row_quantization_ == nullptr) {
      std::fill_n(padded_, rows_ + kMissingRows, fixed_);
      return;
    }
    std::copy_n(row_quantization_, rows_, padded_);
    std::fill_n(padded_ + rows_, kMissingRows, row_quantization_[rows_ - 1]);
  }

  Program program_;
  int input_, output_, weight_, bias_;
  size_t rows_;
  bool int8_, int4_;  // the input, the weight
  xnn_operator_t operator_ = nullptr;
  const xnn_quantization_params* row_quantization_ = nullptr;  // of a QD8 input
  xnn_quantization_params fixed_ = {};                         // of a QS8 one
  xnn_quantization_params* padded_ = nullptr;                  // scratch
};

/// Fails unless there is a kernel for the types of input, weight and output.
Status CheckTypes(Type input, Type weight, Type output) {
  if (input != Type::F32 && weight == Type::F32)
    return Status::Error(Code::kInvalidModel, "the input is %s, expected F32 with an F32 weight",
                         TypeName(input));
  if (input != Type::QD8 && weight == Type::QB4W)
    return Status::Error(Code::kInvalidModel, "the input is %s, expected QD8 with a QB4W weight",
                         TypeName(input));
  if (input != Type::QS8 && output == Type::QS8)
    return Status::Error(Code::kInvalidModel, "the input is %s, expected QS8 with a QS8 output",
                         TypeName(input));
  return {};
}

}  // namespace

OpCost CostOfLinear(const char* type, size_t rows, const ConstantInfo& weight, bool has_bias) {
  const int64_t n = static_cast<int64_t>(weight.rows), k = static_cast<int64_t>(weight.columns);
  return {"Linear", type, static_cast<int64_t>(rows) * n * k, n * k + (has_bias ? n : 0)};
}

const char* TypeOfInt8(Type input) { return input == Type::QS8 ? "qs8_f32_qc8w" : "qd8_f32_qc8w"; }

MadeOp MakeLinear(const Program& program, const schema::Linear& op) {
  VITRINE_RETURN_IF_ERROR(CheckConstant(program, "weight", op.weight(), {Type::F32, Type::QC8W, Type::QB4W},
                                        {Shape::kAny, Shape::kAny}));
  const ConstantInfo weight = program.constant(op.weight());
  VITRINE_RETURN_IF_ERROR(
      CheckOutput(program, "output", op.output(), {Type::F32, Type::QS8}, {Shape::kAny, weight.rows}));
  const TensorInfo output = program.tensor(op.output());
  const size_t rows = output.rows;
  VITRINE_RETURN_IF_ERROR(CheckInput(program, "input", op.input(), {Type::F32, Type::QD8, Type::QS8},
                                     {Shape::kAny, Shape::kAny}));
  const TensorInfo input = program.tensor(op.input());
  const bool flattened = rows == 1 && input.type == Type::F32 && input.elements() == weight.columns;
  if (!flattened) {
    VITRINE_RETURN_IF_ERROR(CheckInput(program, "input", op.input(), {input.type}, {rows, weight.columns}));
  }
  VITRINE_RETURN_IF_ERROR(CheckTypes(input.type, weight.type, output.type));
  if (op.bias() != -1) {
    VITRINE_RETURN_IF_ERROR(CheckConstant(program, "bias", op.bias(), {Type::F32}, {1, weight.rows}));
  }
  const PackedKernel kernel =
      KernelOf(program, op.weight(), op.input(), op.output(), kernels::LinearInt8Group());
  if (kernel == PackedKernel::kLinearInt8) return MakeLinearInt8(program, op);
  if (kernel == PackedKernel::kQs8Qc8w) return MakeLinearStatic(program, op);
  return std::unique_ptr<Op>(new LinearOp(program, op));
}

Status PackLinear(const Program& program, const schema::Linear& op, const PackedLayout& layout,
                  PackedWeights& packed) {
  const PackedKernel kernel = KernelOf(program, op.weight(), op.input(), op.output(), layout.int8_group);
  // Only the CPU itself can pack for these kernels; it does so at each start.
  if (kernel == PackedKernel::kQs8Qc8w || kernel == PackedKernel::kQd8F32Qb4w) return {};
  packed.Begin(op.weight(), op.bias(), kernel);
  if (packed.ready(1)) return {};
  VITRINE_RETURN_IF_ERROR(program.CheckConstant(op.weight()));
  if (op.bias() >= 0) VITRINE_RETURN_IF_ERROR(program.CheckConstant(op.bias()));
  const ConstantInfo weight = program.constant(op.weight());
  MatrixToPack weights = {weight.bytes.data(), nullptr, nullptr, weight.rows, weight.columns};
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
