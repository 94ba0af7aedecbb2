// SPDX-License-Identifier: Apache-2.0
// ResizePlan for a camera's YUV: a row is converted as far as the crop needs it, narrowed into the ring, and
// mixed from there, in 16 bits throughout.
#include <algorithm>

#include "runtime/image/resize.h"
#include "runtime/image/yuv_rows.h"

namespace vitrine {

/// Converts source row y and narrows it into its slot of the ring.
void ResizePlan::MakeFrameRow(const ImageView& source, const YuvFactors& factors, int y) {
  const int begin = horizontal_.source_begin / 2 * 2;
  const int end = std::min((horizontal_.source_end + 1) / 2 * 2, source.width);  // an even number is quicker
  YuvToPlanes(RowOf(source, begin, y), factors, end - begin, planes_, planes_ + plane_stride_,
              planes_ + 2 * plane_stride_);
  NarrowPlanes(planes_, plane_stride_, frame_horizontal_, reinterpret_cast<int16_t*>(RingRow(y)));
}

void ResizePlan::RunFrame(const ImageView& source, uint8_t* out, ptrdiff_t out_stride) {
  const YuvFactors factors = FactorsOf(source.matrix, source.range);
  int made = vertical_.source_begin;  // rows before this one are, or were, in the ring
  for (int i = 0; i < vertical_.count; ++i, out += out_stride) {
    const int first = vertical_.first[i], used = vertical_.used[i];
    for (made = std::max(made, first); made < first + used; ++made) MakeFrameRow(source, factors, made);
    for (int t = 0; t < used; ++t) window_[t] = RingRow(first + t);
    window_[used] = window_[0];
    MixFrameRows(reinterpret_cast<const int16_t* const*>(window_),
                 frame_vertical_.weights + static_cast<ptrdiff_t>(i) * frame_vertical_.stride, used,
                 row_bytes_, out);
  }
}

}  // namespace vitrine
