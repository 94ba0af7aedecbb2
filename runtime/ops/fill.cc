// SPDX-License-Identifier: Apache-2.0
// Fill: copies a constant to a tensor, such as the learnt query of attention pooling.
#include <cstring>

#include "runtime/base/status.h"
#include "runtime/ops/check.h"
#include "runtime/ops/op.h"

namespace vitrine {
namespace {

using schema::Type;

class FillOp final : public Op {
 public:
  FillOp(const Program& program, const schema::Fill& op)
      : program_(program), constant_(op.constant()), output_index_(op.output()) {}

  Operands operands() const override { return {{}, output_index_}; }
  OpCost cost() const override {
    return {"Fill", "f32", 0, static_cast<int64_t>(program_.tensor(output_index_).elements())};
  }
  Status Create(PackedWeights&) override { return program_.CheckConstant(constant_); }

  Status Setup(const Memory& memory) override {
    output_ = memory.tensor<float>(output_index_);
    return {};
  }

  void Run(pthreadpool_t) override {
    std::memcpy(output_, program_.constant(constant_).f32(),
                program_.tensor(output_index_).elements() * sizeof(float));
  }

 private:
  Program program_;
  int constant_, output_index_;
  float* output_ = nullptr;
};

}  // namespace

MadeOp MakeFill(const Program& program, const schema::Fill& op) {
  VITRINE_RETURN_IF_ERROR(
      CheckOutput(program, "output", op.output(), {Type::F32}, {Shape::kAny, Shape::kAny}));
  const TensorInfo output = program.tensor(op.output());
  VITRINE_RETURN_IF_ERROR(
      CheckConstant(program, "constant", op.constant(), {Type::F32}, {output.rows, output.columns}));
  return std::unique_ptr<Op>(new FillOp(program, op));
}

}  // namespace vitrine
