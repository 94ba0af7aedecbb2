// SPDX-License-Identifier: Apache-2.0
// Linear in dynamic int8 (qd8_f32_qc8w) by the kernel for processors on which XNNPACK's is slow.
#include "runtime/ops/linear_int8.h"

#include <algorithm>

#include "runtime/kernels/linear_int8.h"
#include "runtime/ops/packed_weights.h"
#include "runtime/ops/parallel.h"

namespace vitrine {
namespace {

class LinearInt8Op final : public Op {
 public:
  LinearInt8Op(const Program& program, const schema::Linear& op)
      : program_(program),
        input_(op.input()),
        output_(op.output()),
        weight_(op.weight()),
        bias_(op.bias()),
        rows_(program.tensor(op.output()).rows) {
    arguments_.N = arguments_.out_stride = program.constant(weight_).rows;
    arguments_.K = arguments_.input_stride = program.constant(weight_).columns;
  }

  Operands operands() const override { return {{input_}, output_}; }

  OpCost cost() const override {
    const int64_t n = static_cast<int64_t>(arguments_.N), k = static_cast<int64_t>(arguments_.K);
    return {"Linear", "qd8_f32_qc8w", static_cast<int64_t>(rows_) * n * k, n * k + (bias_ >= 0 ? n : 0)};
  }

  std::array<int, 2> packed_constants() const override { return {weight_, bias_}; }

  Status Create(PackedWeights& packed) override {
    const size_t bytes = kernels::LinearInt8PackedBytes(arguments_.N, arguments_.K);
    packed.Begin(weight_, bias_, PackedKernel::kLinearInt8);
    arguments_.packed = packed.ready(bytes) ? packed.ready_data() : nullptr;
    if (arguments_.packed != nullptr) return {};
    VITRINE_RETURN_IF_ERROR(program_.CheckConstant(weight_));
    if (bias_ >= 0) VITRINE_RETURN_IF_ERROR(program_.CheckConstant(bias_));
    void* const memory = packed.Reserve(bytes);
    if (memory == nullptr) return Status::Error(Code::kOutOfMemory, "no memory for packed weights");
    const ConstantInfo weight = program_.constant(weight_);
    const float* bias = bias_ >= 0 ? program_.constant(bias_).f32() : nullptr;
    kernels::PackLinearInt8({weight.int8(), weight.scales(), bias, weight.rows, weight.columns},
                            kernels::LinearInt8Group(), memory);
    arguments_.packed = memory;
    return {};
  }

  Status Reshape(pthreadpool_t pool, size_t* scratch_bytes) override {
    scratch_stride_ = RoundUp(kernels::LinearInt8ScratchBytes(arguments_.K));
    *scratch_bytes = ThreadCount(pool) * scratch_stride_;
    return {};
  }

  Status Setup(const Memory& memory) override {
    const size_t quantization = program_.tensor(input_).row_quantization_offset();
    arguments_.input = memory.tensor<int8_t>(input_);
    arguments_.quantization =
        reinterpret_cast<const kernels::RowQuantization*>(memory.tensor<std::byte>(input_) + quantization);
    arguments_.out = memory.tensor<float>(output_);
    scratch_ = memory.scratch();
    return {};
  }

  /// One thread takes all at once; several take blocks of rows by a fourth of the columns.
  void Run(pthreadpool_t pool) override {
    constexpr size_t kTile = kernels::kLinearInt8Tile;
    const size_t blocks = ThreadCount(pool) == 1 ? 1 : 4, row_step = ThreadCount(pool) == 1 ? rows_ : kTile;
    const size_t column_step = (arguments_.N + blocks * kTile - 1) / (blocks * kTile) * kTile;
    const size_t column_count = (arguments_.N + column_step - 1) / column_step;
    const size_t row_count = (rows_ + row_step - 1) / row_step;
    ForRows(pool, row_count * column_count, 1, [&](size_t thread, size_t index, size_t) {
      const size_t row = index / column_count * row_step, column = index % column_count * column_step;
      kernels::LinearInt8Tile(arguments_, row, std::min(rows_, row + row_step), column,
                              std::min(arguments_.N, column + column_step),
                              scratch_ + thread * scratch_stride_);
    });
  }

 private:
  Program program_;
  int input_, output_, weight_, bias_;
  size_t rows_;
  kernels::LinearInt8Arguments arguments_;
  std::byte* scratch_ = nullptr;
  size_t scratch_stride_ = 0;
};

}  // namespace

bool IsFasterInt8(size_t rows, size_t inputs, size_t group) {
  // Fewer rows leave most of a tile idle.
  return group != 0 && rows >= kernels::kLinearInt8Tile / 2 && inputs <= kernels::kLinearInt8LargestK;
}

MadeOp MakeLinearInt8(const Program& program, const schema::Linear& op) {
  return std::unique_ptr<Op>(new LinearInt8Op(program, op));
}

}  // namespace vitrine
