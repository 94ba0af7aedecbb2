// SPDX-License-Identifier: Apache-2.0
// MergeTokens: averages a fixed number of tokens into the tokens with the most similar keys.
#include "runtime/kernels/merge_tokens.h"

#include "runtime/base/status.h"
#include "runtime/ops/check.h"
#include "runtime/ops/op.h"
#include "runtime/ops/rows.h"

namespace vitrine {
namespace {

using schema::Type;

class MergeTokensOp final : public Op {
 public:
  MergeTokensOp(const Program& program, const schema::MergeTokens& op)
      : tokens_(op.tokens()),
        delta_(op.delta()),
        key_(op.key()),
        sizes_(op.sizes()),
        output_(op.output()),
        output_sizes_(op.output_sizes()),
        key_column_(op.key_column()) {
    arguments_.T = program.tensor(tokens_).rows;
    arguments_.D = program.tensor(tokens_).columns;
    arguments_.H = op.heads();
    arguments_.K = op.head_size();
    arguments_.key_stride = program.tensor(key_).columns;
    arguments_.protected_rows = op.protected_rows();
    arguments_.merged = arguments_.T - program.tensor(output_).rows;
  }

  Operands operands() const override { return {{tokens_, delta_, key_, sizes_}, output_, -1, output_sizes_}; }

  OpCost cost() const override {
    const uint64_t macs = uint64_t{arguments_.even_count()} * arguments_.odd_count() * arguments_.K;
    return {"MergeTokens", "f32", static_cast<int64_t>(macs)};
  }

  Status Reshape(pthreadpool_t pool, size_t* scratch_bytes) override {
    shared_bytes_ = RoundUp(kernels::MergeTokensSharedBytes(arguments_.T, arguments_.K));
    scratch_stride_ = RoundUp(kernels::MergeTokensScratchBytes(arguments_.K));
    *scratch_bytes = shared_bytes_ + ThreadCount(pool) * scratch_stride_;
    return {};
  }

  Status Setup(const Memory& memory) override {
    arguments_.tokens = memory.tensor<float>(tokens_);
    arguments_.delta = memory.tensor<float>(delta_);
    arguments_.key = memory.tensor<float>(key_) + key_column_;
    arguments_.sizes = memory.tensor<float>(sizes_);
    arguments_.out = memory.tensor<float>(output_);
    arguments_.out_sizes = memory.tensor<float>(output_sizes_);
    shared_ = memory.scratch();
    return {};
  }

  void Run(pthreadpool_t pool) override {
    const kernels::MergeTokensArguments& a = arguments_;
    const size_t first_token = a.protected_rows, tokens = a.T - first_token;
    ForRows(pool, tokens, TileRows(pool, tokens), [&](size_t thread, size_t first, size_t last) {
      std::byte* scratch = shared_ + shared_bytes_ + thread * scratch_stride_;
      kernels::MergeTokensMetric(a, first_token + first, first_token + last, shared_, scratch);
    });
    const size_t tile = ThreadCount(pool) == 1 ? a.even_count() : kernels::kMergeTokensTile;
    ForRows(pool, a.even_count(), tile,
            [&](size_t, size_t first, size_t last) { kernels::MergeTokensMatch(a, first, last, shared_); });
    kernels::MergeTokensPlan(a, shared_);
    const size_t rows = a.T - a.merged;
    ForRows(pool, rows, TileRows(pool, rows),
            [&](size_t, size_t first, size_t last) { kernels::MergeTokensRows(a, first, last, shared_); });
  }

  TokenMix token_mix() const override { return {arguments_.T - arguments_.merged, arguments_.T}; }
  void WriteTokenWeights(pthreadpool_t, std::byte*, float* weights) const override {
    kernels::MergeTokensWeights(arguments_, shared_, weights);
  }

 private:
  int tokens_, delta_, key_, sizes_, output_, output_sizes_;
  size_t key_column_;
  kernels::MergeTokensArguments arguments_;
  std::byte* shared_ = nullptr;
  size_t shared_bytes_ = 0, scratch_stride_ = 0;
};

}  // namespace

MadeOp MakeMergeTokens(const Program& program, const schema::MergeTokens& op) {
  VITRINE_RETURN_IF_ERROR(
      CheckInput(program, "tokens", op.tokens(), {Type::F32}, {Shape::kAny, Shape::kAny}));
  const TensorInfo tokens = program.tensor(op.tokens());
  if (op.delta() != -1) {
    VITRINE_RETURN_IF_ERROR(
        CheckInput(program, "delta", op.delta(), {Type::F32}, {tokens.rows, tokens.columns}));
  }
  const size_t width = size_t{op.heads()} * op.head_size();
  VITRINE_RETURN_IF_ERROR(CheckHeads(op.heads(), op.head_size()));
  VITRINE_RETURN_IF_ERROR(CheckColumns(program, "key", op.key(), tokens.rows, op.key_column(), width));
  VITRINE_RETURN_IF_ERROR(CheckSizes(program, op.sizes(), tokens.rows));
  VITRINE_RETURN_IF_ERROR(
      CheckOutput(program, "output", op.output(), {Type::F32}, {Shape::kAny, tokens.columns}));
  const size_t rows = program.tensor(op.output()).rows;
  VITRINE_RETURN_IF_ERROR(CheckOutput(program, "output sizes", op.output_sizes(), {Type::F32}, {2, rows}));
  kernels::MergeTokensArguments shape;
  shape.T = tokens.rows;
  shape.protected_rows = op.protected_rows();
  if (op.protected_rows() >= tokens.rows || rows >= tokens.rows || shape.odd_count() < 1 ||
      tokens.rows - rows > shape.even_count()) {
    return Status::Error(Code::kInvalidModel, "cannot merge %zu tokens, %u of them protected, into %zu",
                         tokens.rows, op.protected_rows(), rows);
  }
  return std::unique_ptr<Op>(new MergeTokensOp(program, op));
}

}  // namespace vitrine
