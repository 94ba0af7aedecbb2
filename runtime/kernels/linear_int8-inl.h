// SPDX-License-Identifier: Apache-2.0
// The int8 linear layer: blocks of kScalars rows by kColumns columns, with the byte product of attention.
// Included after highway.h, for every instruction set, so without an include guard. Everything has internal
// linkage, because ARM builds compile it for several CPUs.
#include <cstring>

#include "runtime/kernels/linear_int8.h"
#include "runtime/kernels/linear_int8_kernels.h"
#include "runtime/kernels/rows-inl.h"
#include "runtime/kernels/outer_product-inl.h"
#include "runtime/kernels/byte_product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {
namespace {

constexpr size_t kColumns = kVectors * kLanes;
static_assert(kColumns == kLinearInt8Tile && kLinearInt8Tile % kScalars == 0);

/// kScalars rows of the input as groups, and the quantization of each row.
struct InputRows {
  int32_t* groups;  // [K / kGroup, kScalars] groups
  int8_t* bytes;    // [kScalars, K], when K is not a multiple of 16
  int32_t zero_point[kScalars];
  float scale[kScalars];

  InputRows(void* scratch, size_t K)
      : groups(static_cast<int32_t*>(scratch)),
        bytes(static_cast<int8_t*>(scratch) + kScalars * PaddedRow(K)) {}

  /// Packs `rows` rows from `row` on, and zeros for the others.
  void Pack(const LinearInt8Arguments& a, size_t row, size_t rows) {
    const int8_t* input = a.input + row * a.input_stride;
    if (a.input_stride != PaddedRow(a.K)) {
      for (size_t r = 0; r < rows; ++r) {
        int8_t* padded = bytes + r * PaddedRow(a.K);
        std::memcpy(padded, input + r * a.input_stride, a.K);
        std::memset(padded + a.K, 0, PaddedRow(a.K) - a.K);
      }
      input = bytes;
    }
    PackGroups(input, rows, a.K, kScalars, 0, groups);
    for (size_t r = 0; r < kScalars; ++r) {
      zero_point[r] = r < rows ? a.quantization[row + r].zero_point : 0;
      scale[r] = r < rows ? a.quantization[row + r].scale : 0.0f;
    }
  }
};

/// Writes a block of kScalars rows and kColumns columns.
HWY_FLATTEN void MultiplyPanel(const InputRows& rows, const LinearInt8Panel& panel, size_t K, float* out,
                               size_t stride) {
  const auto sums = MultiplyBytes<true, kVectors>(rows.groups, kScalars, panel.groups, kColumns, Groups(K));
  Unroll<kVectors>([&](auto c) HWY_ATTR {
    const VI weights = hn::LoadU(kI32, panel.sum + c * kLanes);
    const VF scale = hn::LoadU(kF32, panel.scale + c * kLanes),
             bias = hn::LoadU(kF32, panel.bias + c * kLanes);
    Unroll<kScalars>([&](auto r) HWY_ATTR {
      const VI sum = hn::Sub(sums.v[r][c], hn::Mul(weights, hn::Set(kI32, rows.zero_point[r])));
      const VF scaled = hn::Mul(hn::ConvertTo(kF32, sum), hn::Set(kF32, rows.scale[r]));
      hn::StoreU(hn::MulAdd(scaled, scale, bias), kF32, out + r * stride + c * kLanes);
    });
  });
}

void Tile(const LinearInt8Arguments& a, size_t first_row, size_t last_row, size_t first_column,
          size_t last_column, void* scratch) {
  InputRows packed_rows(scratch, a.K);
  for (size_t row = first_row; row < last_row; row += kScalars) {
    const size_t rows = HWY_MIN(kScalars, last_row - row);
    packed_rows.Pack(a, row, rows);
    float* out = a.out + row * a.out_stride;
    for (size_t column = first_column; column < last_column; column += kColumns) {
      const LinearInt8Panel panel(a.packed, column, a.K);
      const size_t columns = HWY_MIN(kColumns, last_column - column);
      if (rows == kScalars && columns == kColumns) {
        MultiplyPanel(packed_rows, panel, a.K, out + column, a.out_stride);
        continue;
      }
      float block[kScalars * kColumns];
      MultiplyPanel(packed_rows, panel, a.K, block, kColumns);
      for (size_t r = 0; r < rows; ++r) {
        std::memcpy(out + r * a.out_stride + column, block + r * kColumns, columns * sizeof(float));
      }
    }
  }
}

}  // namespace
}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
