// SPDX-License-Identifier: Apache-2.0
// Quantization of rows, one pass for the range and one for the bytes.
#include "runtime/kernels/quantize_rows.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/quantize_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/kernels/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vitrine::kernels::HWY_NAMESPACE {

void QuantizeRows(const float* x, size_t x_stride, size_t columns, const OutputRows& out, size_t first,
                  size_t last) {
  for (size_t row = first; row < last; ++row) {
    const float* values = x + row * x_stride;
    const Range range = out.type == RowType::kQd8 ? RangeOf(values, columns) : EmptyRange();
    QuantizeRow<false>(values, columns, 0.0f, 1.0f, range, out, row);
  }
}

}  // namespace vitrine::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vitrine::kernels {

HWY_EXPORT(QuantizeRows);

void QuantizeRows(const float* x, size_t x_stride, size_t columns, const OutputRows& out, size_t first,
                  size_t last) {
  HWY_DYNAMIC_DISPATCH(QuantizeRows)(x, x_stride, columns, out, first, last);
}

}  // namespace vitrine::kernels
#endif  // HWY_ONCE
