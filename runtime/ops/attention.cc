// SPDX-License-Identifier: Apache-2.0
// Attention: softmax(Q K^T) V over all heads, a tile of query rows at a time, without the T x T matrix in
// memory. It computes in int8 where the file allows it and this CPU is faster that way.
#include "runtime/kernels/attention.h"

#include "runtime/base/status.h"
#include "runtime/kernels/attention_int8.h"
#include "runtime/ops/check.h"
#include "runtime/ops/op.h"
#include "runtime/ops/rows.h"

namespace vitrine {
namespace {

using schema::Type;

class AttentionOp final : public Op {
 public:
  AttentionOp(const Program& program, const schema::Attention& op)
      : program_(program),
        query_(op.query()),
        key_(op.key()),
        value_(op.value()),
        bias_(op.bias()),
        sizes_(op.sizes()),
        output_(op.output()),
        query_column_(op.query_column()),
        key_column_(op.key_column()),
        value_column_(op.value_column()),
        int8_(op.compute() == Type::QD8 && op.bias() < 0 && kernels::HasAttentionInt8()) {
    // A learnt query (Fill) pools the tokens. All other queries are tokens, and the output is added to them.
    for (int i = 0; i < program.operator_count(); ++i) {
      const schema::Fill* fill = program.op(i).kind_as_Fill();
      if (fill != nullptr && fill->output() == query_) is_added_ = false;
    }
    arguments_.T = program.tensor(key_).rows;
    arguments_.Tq = program.tensor(output_).rows;
    arguments_.H = op.heads();
    arguments_.K = op.head_size();
    arguments_.grid_height = op.grid_height();
    arguments_.grid_width = op.grid_width();
    arguments_.query_stride = program.tensor(query_).columns;
    arguments_.key_stride = program.tensor(key_).columns;
    arguments_.value_stride = program.tensor(value_).columns;
  }

  Operands operands() const override { return {{query_, key_, value_, sizes_}, output_}; }

  OpCost cost() const override {
    const uint64_t macs = uint64_t{2} * arguments_.Tq * arguments_.T * arguments_.H * arguments_.K;
    const size_t places =
        bias_ < 0 ? 0 : kernels::PositionBiasPlaces(arguments_.grid_height, arguments_.grid_width);
    return {"Attention", int8_ ? "int8" : TypeOfRows(program_, output_), static_cast<int64_t>(macs),
            static_cast<int64_t>(arguments_.H * places)};
  }

  Status Create(PackedWeights&) override {
    if (bias_ < 0) return {};
    arguments_.bias = program_.constant(bias_).f32();
    return program_.CheckConstant(bias_);
  }

  Status Reshape(pthreadpool_t pool, size_t* scratch_bytes) override {
    const auto packed_bytes = int8_ ? kernels::AttentionInt8PackedBytes : kernels::AttentionPackedBytes;
    const auto scratch_bytes_of = int8_ ? kernels::AttentionInt8ScratchBytes : kernels::AttentionScratchBytes;
    packed_bytes_ = RoundUp(packed_bytes(arguments_.T, arguments_.H, arguments_.K));
    scratch_stride_ = RoundUp(scratch_bytes_of(arguments_.T, arguments_.H, arguments_.K));
    *scratch_bytes = packed_bytes_ + ThreadCount(pool) * scratch_stride_;
    return {};
  }

  Status Setup(const Memory& memory) override {
    arguments_.query = memory.tensor<float>(query_) + query_column_;
    arguments_.key = memory.tensor<float>(key_) + key_column_;
    arguments_.value = memory.tensor<float>(value_) + value_column_;
    if (sizes_ >= 0) arguments_.size_log2 = memory.tensor<float>(sizes_) + arguments_.T;
    arguments_.out = RowsOf(program_, memory, output_, &fixed_);
    packed_ = memory.scratch();
    return {};
  }

  void Run(pthreadpool_t pool) override {
    ForRows(pool, arguments_.H, 1, [&](size_t thread, size_t head, size_t) {
      if (int8_) {
        kernels::PackAttentionInt8Head(arguments_, head, packed_, Scratch(thread));
      } else {
        kernels::PackAttentionHead(arguments_, head, packed_);
      }
    });
    const auto attend = int8_ ? kernels::AttentionInt8Tile : kernels::AttentionTile;
    const size_t tile = ThreadCount(pool) == 1 ? arguments_.Tq : kernels::kAttentionTileRows;
    ForRows(pool, arguments_.Tq, tile, [&](size_t thread, size_t first, size_t last) {
      attend(arguments_, packed_, first, last, Scratch(thread));
    });
  }

  TokenMix token_mix() const override { return {arguments_.Tq, arguments_.T, true, is_added_}; }

  size_t TokenWeightsBytes(pthreadpool_t pool) const override {
    return RoundUp(kernels::AttentionPackedBytes(arguments_.T, arguments_.H, arguments_.K)) +
           ThreadCount(pool) * RoundUp(kernels::AttentionMeanScratchBytes(arguments_.T, arguments_.K));
  }

  /// Computes in f32, also where Run computes in int8. Run does not change queries and keys.
  void WriteTokenWeights(pthreadpool_t pool, std::byte* scratch, float* weights) const override {
    const kernels::AttentionArguments& a = arguments_;
    std::byte* const of_threads = scratch + RoundUp(kernels::AttentionPackedBytes(a.T, a.H, a.K));
    const size_t stride = RoundUp(kernels::AttentionMeanScratchBytes(a.T, a.K));
    ForRows(pool, a.H, 1, [&](size_t, size_t head, size_t) { kernels::PackAttentionHead(a, head, scratch); });
    ForRows(pool, a.Tq, kernels::kAttentionTileRows, [&](size_t thread, size_t first, size_t last) {
      kernels::AttentionMean(a, scratch, first, last, weights, of_threads + thread * stride);
    });
  }

 private:
  std::byte* Scratch(size_t thread) const { return packed_ + packed_bytes_ + thread * scratch_stride_; }

  Program program_;
  int query_, key_, value_, bias_, sizes_, output_;
  size_t query_column_, key_column_, value_column_;
  bool int8_, is_added_ = true;
  kernels::AttentionArguments arguments_;
  kernels::RowQuantization fixed_ = {};
  std::byte* packed_ = nullptr;
  size_t packed_bytes_ = 0, scratch_stride_ = 0;
};

/// Checks the relative position bias: the keys must be a class token and the patches of the grid.
Status CheckBias(const Program& program, const schema::Attention& op, size_t keys) {
  if (op.bias() == -1) return {};
  const size_t height = op.grid_height(), width = op.grid_width();
  const size_t queries = program.tensor(op.output()).rows;
  if (height < 1 || width < 1 || height > keys || width > keys || keys != 1 + height * width ||
      queries > keys) {
    return Status::Error(Code::kInvalidModel,
                         "bias for a grid of %zux%zu patches, but there are %zu queries and %zu keys", height,
                         width, queries, keys);
  }
  return CheckConstant(program, "bias", op.bias(), {Type::F32},
                       {op.heads(), kernels::PositionBiasPlaces(height, width)});
}

}  // namespace

MadeOp MakeAttention(const Program& program, const schema::Attention& op) {
  const size_t width = size_t{op.heads()} * op.head_size();
  VITRINE_RETURN_IF_ERROR(CheckHeads(op.heads(), op.head_size()));
  if (op.compute() != Type::F32 && op.compute() != Type::QD8) {
    return Status::Error(Code::kInvalidModel, "attention computes in type %d, expected F32 or QD8",
                         static_cast<int>(op.compute()));
  }
  VITRINE_RETURN_IF_ERROR(
      CheckOutput(program, "output", op.output(), {Type::F32, Type::QD8, Type::QS8}, {Shape::kAny, width}));
  VITRINE_RETURN_IF_ERROR(
      CheckColumns(program, "query", op.query(), program.tensor(op.output()).rows, op.query_column(), width));
  VITRINE_RETURN_IF_ERROR(CheckColumns(program, "key", op.key(), Shape::kAny, op.key_column(), width));
  const size_t keys = program.tensor(op.key()).rows;
  VITRINE_RETURN_IF_ERROR(CheckColumns(program, "value", op.value(), keys, op.value_column(), width));
  VITRINE_RETURN_IF_ERROR(CheckBias(program, op, keys));
  VITRINE_RETURN_IF_ERROR(CheckSizes(program, op.sizes(), keys));
  if (op.sizes() != -1 && op.bias() != -1)
    return Status::Error(Code::kInvalidModel, "attention cannot have both sizes and a bias");
  return std::unique_ptr<Op>(new AttentionOp(program, op));
}

}  // namespace vitrine
