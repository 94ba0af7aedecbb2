// SPDX-License-Identifier: Apache-2.0
// AddPositions: makes the token sequence of the patch embeddings and the position table, which includes the
// class, distillation and register tokens.
#include <cstring>

#include "runtime/base/status.h"
#include "runtime/ops/check.h"
#include "runtime/ops/op.h"
#include "runtime/ops/rows.h"

namespace vitrine {
namespace {

using schema::Type;

class AddPositionsOp final : public Op {
 public:
  AddPositionsOp(const Program& program, const schema::AddPositions& op)
      : program_(program),
        patches_index_(op.patches()),
        positions_index_(op.positions()),
        tokens_index_(op.tokens()),
        first_patch_(op.first_patch()),
        position_rows_(program.constant(op.positions()).rows),
        rows_(program.tensor(op.tokens()).rows),
        columns_(program.tensor(op.tokens()).columns) {}

  Operands operands() const override { return {{patches_index_}, tokens_index_}; }
  OpCost cost() const override {
    return {"AddPositions", "f32", 0, static_cast<int64_t>(position_rows_ * columns_)};
  }

  Status Create(PackedWeights&) override {
    positions_ = program_.constant(positions_index_).f32();
    return program_.CheckConstant(positions_index_);
  }

  Status Setup(const Memory& memory) override {
    patches_ = memory.tensor<float>(patches_index_);
    tokens_ = memory.tensor<float>(tokens_index_);
    return {};
  }

  void Run(pthreadpool_t pool) override {
    ForRows(pool, rows_, TileRows(pool, rows_),
            [&](size_t, size_t first, size_t last) { AddRows(first, last); });
  }

 private:
  void AddRows(size_t first, size_t last) const {
    for (size_t row = first; row < last; ++row) {
      const float* position = positions_ + row * columns_;
      float* token = tokens_ + row * columns_;
      if (row < first_patch_) {
        std::memcpy(token, position, columns_ * sizeof(float));
        continue;
      }
      const float* patch = patches_ + (row - first_patch_) * columns_;
      if (row >= position_rows_) {
        std::memcpy(token, patch, columns_ * sizeof(float));
        continue;
      }
      for (size_t c = 0; c < columns_; ++c) token[c] = patch[c] + position[c];
    }
  }

  Program program_;
  int patches_index_, positions_index_, tokens_index_;
  size_t first_patch_, position_rows_, rows_, columns_;
  const float* positions_ = nullptr;
  const float* patches_ = nullptr;
  float* tokens_ = nullptr;
};

}  // namespace

MadeOp MakeAddPositions(const Program& program, const schema::AddPositions& op) {
  VITRINE_RETURN_IF_ERROR(
      CheckOutput(program, "tokens", op.tokens(), {Type::F32}, {Shape::kAny, Shape::kAny}));
  const TensorInfo tokens = program.tensor(op.tokens());
  if (op.first_patch() >= tokens.rows) {
    return Status::Error(Code::kInvalidModel, "the first patch is row %u, the output has %zu rows",
                         op.first_patch(), tokens.rows);
  }
  VITRINE_RETURN_IF_ERROR(CheckOutput(program, "patches", op.patches(), {Type::F32},
                                      {tokens.rows - op.first_patch(), tokens.columns}));
  const bool only_tokens = op.first_patch() > 0 && program.has_constant(op.positions()) &&
                           program.constant(op.positions()).rows == op.first_patch();
  const size_t rows = only_tokens ? op.first_patch() : tokens.rows;
  VITRINE_RETURN_IF_ERROR(
      CheckConstant(program, "positions", op.positions(), {Type::F32}, {rows, tokens.columns}));
  return std::unique_ptr<Op>(new AddPositionsOp(program, op));
}

}  // namespace vitrine
