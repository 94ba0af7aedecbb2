// SPDX-License-Identifier: Apache-2.0
// Pool: writes the means of ranges of rows next to each other: the class token, the mean of the patches, or
// both.
#include <algorithm>

#include "runtime/base/status.h"
#include "runtime/kernels/row_kernels.h"
#include "runtime/ops/check.h"
#include "runtime/ops/op.h"
#include "runtime/ops/rows.h"

namespace vitrine {
namespace {

using schema::Type;

class PoolOp final : public Op {
 public:
  PoolOp(const Program& program, const schema::Pool& op)
      : input_index_(op.input()),
        output_index_(op.output()),
        sizes_index_(op.sizes()),
        columns_(program.tensor(op.input()).columns),
        rows_(program.tensor(op.input()).rows),
        ranges_(op.ranges()) {}

  Operands operands() const override { return {{input_index_, sizes_index_}, output_index_}; }
  OpCost cost() const override { return {"Pool", "f32"}; }

  Status Setup(const Memory& memory) override {
    input_ = memory.tensor<float>(input_index_);
    output_ = memory.tensor<float>(output_index_);
    sizes_ = memory.tensor<float>(sizes_index_);
    return {};
  }

  void Run(pthreadpool_t) override {
    for (unsigned i = 0; i < ranges_->size(); ++i) {
      const schema::RowRange& range = *ranges_->Get(i);
      kernels::MeanRows(input_, columns_, sizes_, columns_, range.first(), range.first() + range.count(),
                        output_ + i * columns_);
    }
  }

  TokenMix token_mix() const override { return {1, rows_}; }

  /// Where the output has the class token and a mean, only the class token gets a weight: people look at its
  /// attention.
  void WriteTokenWeights(pthreadpool_t, std::byte*, float* weights) const override {
    const auto is_token = [](const schema::RowRange* range) { return range->count() == 1; };
    const auto tokens = std::count_if(ranges_->begin(), ranges_->end(), is_token);
    std::fill_n(weights, rows_, 0.0f);
    for (const schema::RowRange* range : *ranges_) {
      if (tokens > 0 && !is_token(range)) continue;
      AddMean(*range, 1 / static_cast<float>(tokens > 0 ? tokens : ranges_->size()), weights);
    }
  }

 private:
  void AddMean(const schema::RowRange& range, float share, float* weights) const {
    const size_t first = range.first(), last = first + range.count();
    const auto size = [&](size_t row) { return sizes_ == nullptr ? 1.0f : sizes_[row]; };
    float sum = 0;
    for (size_t row = first; row < last; ++row) sum += size(row);
    for (size_t row = first; row < last; ++row) weights[row] += share * size(row) / sum;
  }

  int input_index_, output_index_, sizes_index_;
  size_t columns_, rows_;
  const flatbuffers::Vector<const schema::RowRange*>* ranges_;
  const float* input_ = nullptr;
  float* output_ = nullptr;
  const float* sizes_ = nullptr;
};

}  // namespace

MadeOp MakePool(const Program& program, const schema::Pool& op) {
  VITRINE_RETURN_IF_ERROR(CheckInput(program, "input", op.input(), {Type::F32}, {Shape::kAny, Shape::kAny}));
  const TensorInfo input = program.tensor(op.input());
  VITRINE_RETURN_IF_ERROR(CheckSizes(program, op.sizes(), input.rows));
  const size_t ranges = op.ranges()->size();
  if (ranges < 1 || ranges > 8)
    return Status::Error(Code::kInvalidModel, "there are %zu ranges of rows, expected 1 to 8", ranges);
  for (unsigned i = 0; i < ranges; ++i) {
    const schema::RowRange& range = *op.ranges()->Get(i);
    if (range.count() < 1 || size_t{range.first()} + range.count() > input.rows) {
      return Status::Error(Code::kInvalidModel, "a range has rows %u to %zu, the input has %zu rows",
                           range.first(), size_t{range.first()} + range.count(), input.rows);
    }
  }
  VITRINE_RETURN_IF_ERROR(
      CheckOutput(program, "output", op.output(), {Type::F32}, {1, ranges * input.columns}));
  return std::unique_ptr<Op>(new PoolOp(program, op));
}

}  // namespace vitrine
