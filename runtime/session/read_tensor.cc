// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "runtime/kernels/quantize_rows.h"
#include "runtime/session/session.h"

namespace vitrine {

void ReadTensor(const TensorInfo& tensor, const std::byte* data, std::span<float> values) {
  const auto* int8 = reinterpret_cast<const int8_t*>(data);
  const auto* rows =
      reinterpret_cast<const kernels::RowQuantization*>(data + tensor.row_quantization_offset());
  for (size_t i = 0; i < values.size(); ++i) {
    switch (tensor.type) {
      case schema::Type::F32:
        std::memcpy(&values[i], data + 4 * i, 4);
        break;
      case schema::Type::U8:
        values[i] = static_cast<float>(static_cast<uint8_t>(int8[i]));
        break;
      case schema::Type::QS8:
        values[i] = static_cast<float>(int8[i] - tensor.zero_point) * tensor.scale;
        break;
      case schema::Type::QD8: {
        const kernels::RowQuantization& row = rows[i / tensor.columns];
        values[i] = static_cast<float>(int8[i] - row.zero_point) * row.scale;
        break;
      }
      case schema::Type::QC8W:
      case schema::Type::QB4W:
        break;  // no activation has it
    }
  }
}

}  // namespace vitrine
