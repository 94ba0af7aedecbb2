// SPDX-License-Identifier: Apache-2.0
// Linear in int8 by our own kernel, for CPUs on which XNNPACK's is slow. The kernel writes f32. A static int8
// output is rounded from it tile by tile, while the tile is in the cache.
#include <algorithm>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/kernels/linear_int8.h"
#include "runtime/kernels/row_kernels.h"
#include "runtime/ops/linear.h"
#include "runtime/ops/packing/packed_weights.h"
#include "runtime/ops/rows.h"

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
    const char* type = RoundsOutput() ? "qs8_qc8w" : TypeOfInt8(program_.tensor(input_).type);
    return CostOfLinear(type, rows_, program_.constant(weight_), bias_ >= 0);
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
    const size_t threads = ThreadCount(pool), blocks = threads == 1 ? 1 : 4;
    row_step_ = threads == 1 && !RoundsOutput() ? rows_ : kTile;
    column_step_ = (arguments_.N + blocks * kTile - 1) / (blocks * kTile) * kTile;
    kernel_bytes_ = RoundUp(kernels::LinearInt8ScratchBytes(arguments_.K));
    scratch_stride_ = kernel_bytes_ + RoundUp(RoundsOutput() ? kTile * column_step_ * sizeof(float) : 0);
    *scratch_bytes = threads * scratch_stride_;
    const TensorInfo input = program_.tensor(input_);
    if (input.type == schema::Type::QS8) fixed_rows_.assign(rows_, {input.zero_point, input.scale});
    return {};
  }

  Status Setup(const Memory& memory) override {
    const size_t quantization = program_.tensor(input_).row_quantization_offset();
    arguments_.input = memory.tensor<int8_t>(input_);
    arguments_.quantization = !fixed_rows_.empty() ? fixed_rows_.data()
                                                   : reinterpret_cast<const kernels::RowQuantization*>(
                                                         memory.tensor<std::byte>(input_) + quantization);
    arguments_.out = memory.tensor<float>(output_);
    rounded_ = RowsOf(program_, memory, output_, &fixed_);
    scratch_ = memory.scratch();
    return {};
  }

  /// One thread computes all at once; several threads compute blocks of some rows and a fourth of the
  /// columns.
  void Run(pthreadpool_t pool) override {
    const size_t column_count = (arguments_.N + column_step_ - 1) / column_step_;
    const size_t row_count = (rows_ + row_step_ - 1) / row_step_;
    ForRows(pool, row_count * column_count, 1, [&](size_t thread, size_t index, size_t) {
      const size_t row = index / column_count * row_step_, column = index % column_count * column_step_;
      const size_t last_row = std::min(rows_, row + row_step_);
      const size_t last_column = std::min(arguments_.N, column + column_step_);
      std::byte* const scratch = scratch_ + thread * scratch_stride_;
      if (RoundsOutput()) {
        RunRounded(row, last_row, column, last_column, scratch);
      } else {
        kernels::LinearInt8Tile(arguments_, row, last_row, column, last_column, scratch);
      }
    });
  }

 private:
  static constexpr size_t kTile = kernels::kLinearInt8Tile;

  bool RoundsOutput() const { return program_.tensor(output_).type == schema::Type::QS8; }

  /// Computes at most kTile rows in f32, after the kernel's scratch memory, then rounds them to the output.
  void RunRounded(size_t row, size_t last_row, size_t column, size_t last_column, std::byte* scratch) const {
    float* const tile = reinterpret_cast<float*>(scratch + kernel_bytes_);
    const size_t columns = last_column - column;
    kernels::LinearInt8Arguments arguments = arguments_;
    arguments.input += row * arguments.input_stride;
    arguments.quantization += row;
    arguments.out = tile - column;
    arguments.out_stride = columns;
    kernels::LinearInt8Tile(arguments, 0, last_row - row, column, last_column, scratch);
    kernels::OutputRows out = rounded_;
    out.data = static_cast<int8_t*>(out.data) + row * out.stride + column;
    kernels::QuantizeRows(tile, columns, columns, out, 0, last_row - row);
  }

  Program program_;
  int input_, output_, weight_, bias_;
  size_t rows_;
  size_t row_step_ = 0, column_step_ = 0;
  kernels::LinearInt8Arguments arguments_;
  std::vector<kernels::RowQuantization> fixed_rows_;  // of a QS8 input
  kernels::OutputRows rounded_;                       // of a QS8 output
  kernels::RowQuantization fixed_ = {};
  std::byte* scratch_ = nullptr;
  size_t scratch_stride_ = 0, kernel_bytes_ = 0;
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
