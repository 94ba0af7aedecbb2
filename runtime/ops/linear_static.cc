// SPDX-License-Identifier: Apache-2.0
// Linear with static int8 input and output (qs8_qc8w), by XNNPACK: one multiplication and one rounding per
// output.
#include <xnnpack.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/ops/linear.h"
#include "runtime/ops/packing/packed_weights.h"
#include "runtime/ops/xnnpack.h"

namespace vitrine {
namespace {

/// Returns the bias in units of the accumulator, limited to 2^30, so that sums stay within 32 bits. No
/// trained model has a larger bias.
std::vector<int32_t> BiasSteps(const float* bias, const float* scales, size_t n, float input_scale) {
  constexpr double kMost = 1 << 30;
  std::vector<int32_t> steps(n);
  for (size_t i = 0; bias != nullptr && i < n; ++i) {
    const double value = double{bias[i]} / (double{input_scale} * double{scales[i]});
    steps[i] = static_cast<int32_t>(std::lrint(std::isnan(value) ? 0 : std::clamp(value, -kMost, kMost)));
  }
  return steps;
}

class LinearStaticOp final : public Op {
 public:
  LinearStaticOp(const Program& program, const schema::Linear& op)
      : program_(program),
        input_(op.input()),
        output_(op.output()),
        weight_(op.weight()),
        bias_(op.bias()),
        rows_(program.tensor(op.output()).rows) {}

  ~LinearStaticOp() override {
    if (operator_ != nullptr) xnn_delete_operator(operator_);
  }

  Operands operands() const override { return {{input_, -1, -1}, output_}; }

  OpCost cost() const override {
    return CostOfLinear("qs8_qc8w", rows_, program_.constant(weight_), bias_ >= 0);
  }

  std::array<int, 2> packed_constants() const override { return {weight_, bias_}; }

  Status Create(PackedWeights& packed) override {
    const ConstantInfo weight = program_.constant(weight_);
    const size_t n = weight.rows, k = weight.columns;
    const TensorInfo input = program_.tensor(input_), output = program_.tensor(output_);
    packed.Begin(weight_, bias_, PackedKernel::kQs8Qc8w);
    const bool ready = packed.ready(n * k);
    if (!ready) {
      VITRINE_RETURN_IF_ERROR(program_.CheckConstant(weight_));
      if (bias_ >= 0) VITRINE_RETURN_IF_ERROR(program_.CheckConstant(bias_));
    }
    const float* bias = bias_ >= 0 && !ready ? program_.constant(bias_).f32() : nullptr;
    const std::vector<int32_t> steps = BiasSteps(bias, weight.scales(), n, input.scale);
    const xnn_status status = xnn_create_fully_connected_nc_qs8_qc8w(
        k, n, k, n, static_cast<int8_t>(input.zero_point), input.scale, weight.scales(), weight.int8(),
        steps.data(), static_cast<int8_t>(output.zero_point), output.scale, INT8_MIN, INT8_MAX, 0, nullptr,
        packed.provider(), &operator_);
    return CheckXnnpack(status, "create a static fully-connected operator");
  }

  Status Reshape(pthreadpool_t pool, size_t* scratch_bytes) override {
    *scratch_bytes = 0;
    return CheckXnnpack(xnn_reshape_fully_connected_nc_qs8_qc8w(operator_, rows_, pool),
                        "reshape a static fully-connected operator");
  }

  Status Setup(const Memory& memory) override {
    return CheckXnnpack(xnn_setup_fully_connected_nc_qs8_qc8w(operator_, memory.tensor<int8_t>(input_),
                                                              memory.tensor<int8_t>(output_)),
                        "set up a static fully-connected operator");
  }

  void Run(pthreadpool_t pool) override { xnn_run_operator(operator_, pool); }

 private:
  Program program_;
  int input_, output_, weight_, bias_;
  size_t rows_;
  xnn_operator_t operator_ = nullptr;
};

}  // namespace

MadeOp MakeLinearStatic(const Program& program, const schema::Linear& op) {
  return std::unique_ptr<Op>(new LinearStaticOp(program, op));
}

}  // namespace vitrine
