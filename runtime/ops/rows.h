// SPDX-License-Identifier: Apache-2.0
// A tensor in the arena as the kernels see it.
#pragma once

#include "runtime/kernels/rows.h"
#include "runtime/ops/op.h"

namespace vitrine {

/// Returns the output rows of tensor `index` in `memory`. A QS8 tensor's scale and zero point are put into
/// *fixed, which must live as long as the rows are used.
inline kernels::OutputRows RowsOf(const Program& program, const Memory& memory, int index,
                                  kernels::RowQuantization* fixed) {
  const TensorInfo tensor = program.tensor(index);
  std::byte* data = memory.tensor<std::byte>(index);
  switch (tensor.type) {
    case schema::Type::QD8: {
      auto* rows = reinterpret_cast<kernels::RowQuantization*>(data + tensor.row_quantization_offset());
      return {kernels::RowType::kQd8, data, tensor.columns, rows};
    }
    case schema::Type::QS8:
      *fixed = {tensor.zero_point, tensor.scale};
      return {kernels::RowType::kQs8, data, tensor.columns, fixed};
    default:
      return {kernels::RowType::kF32, data, tensor.columns, nullptr};
  }
}

/// The suffix of an operator's type for what it writes: "f32", "f32_qd8" or "f32_qs8".
inline const char* TypeOfRows(const Program& program, int index) {
  switch (program.tensor(index).type) {
    case schema::Type::QD8:
      return "f32_qd8";
    case schema::Type::QS8:
      return "f32_qs8";
    default:
      return "f32";
  }
}

}  // namespace vitrine
