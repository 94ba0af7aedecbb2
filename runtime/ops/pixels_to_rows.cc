// SPDX-License-Identifier: Apache-2.0
// PixelsToRows: cuts the u8 image into patches, the rows of the patch embedding's input, without rounding.
#include "runtime/kernels/row_kernels.h"

#include "runtime/base/status.h"
#include "runtime/ops/check.h"
#include "runtime/ops/op.h"
#include "runtime/ops/rows.h"

namespace vitrine {
namespace {

using schema::Type;

class PixelsToRowsOp final : public Op {
 public:
  PixelsToRowsOp(const Program& program, const schema::PixelsToRows& op)
      : program_(program), image_(op.image()), output_(op.output()) {
    arguments_.image_height = op.image_height();
    arguments_.image_width = op.image_width();
    arguments_.channels = program.tensor(op.image()).columns;
    arguments_.patch_height = op.patch_height();
    arguments_.patch_width = op.patch_width();
    arguments_.zero_point = op.zero_point();
  }

  Operands operands() const override { return {{image_}, output_}; }
  OpCost cost() const override {
    return {"PixelsToRows", program_.tensor(output_).type == Type::QD8 ? "u8_qd8" : "u8_f32"};
  }

  Status Setup(const Memory& memory) override {
    arguments_.pixels = memory.tensor<uint8_t>(image_);
    arguments_.out = RowsOf(program_, memory, output_, nullptr);
    return {};
  }

  void Run(pthreadpool_t pool) override {
    const size_t patches = program_.tensor(output_).rows;
    ForRows(pool, patches, TileRows(pool, patches),
            [&](size_t, size_t first, size_t last) { kernels::PixelsToRows(arguments_, first, last); });
  }

 private:
  Program program_;
  int image_, output_;
  kernels::PixelsToRowsArguments arguments_;
};

}  // namespace

MadeOp MakePixelsToRows(const Program& program, const schema::PixelsToRows& op) {
  const size_t height = op.image_height(), width = op.image_width(), ph = op.patch_height(),
               pw = op.patch_width();
  if (ph < 1 || pw < 1 || ph > height || pw > width || height > (1u << 14) || width > (1u << 14)) {
    return Status::Error(Code::kInvalidModel, "cannot cut patches of %zux%zu from an image of %zux%zu", ph,
                         pw, height, width);
  }
  VITRINE_RETURN_IF_ERROR(
      CheckOutput(program, "image", op.image(), {Type::U8}, {height * width, Shape::kAny}));
  const size_t channels = program.tensor(op.image()).columns;
  VITRINE_RETURN_IF_ERROR(CheckOutput(program, "output", op.output(), {Type::QD8, Type::F32},
                                      {(height / ph) * (width / pw), ph * pw * channels}));
  return std::unique_ptr<Op>(new PixelsToRowsOp(program, op));
}

}  // namespace vitrine
