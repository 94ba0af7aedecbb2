// SPDX-License-Identifier: Apache-2.0
#include "runtime/image/resize.h"

#include <algorithm>
#include <cstring>

#include "runtime/base/status.h"
#include "runtime/image/pixels.h"
#include "runtime/image/resize_rows.h"
#include "runtime/image/yuv_rows.h"

namespace vitrine {
namespace {

LineResize HorizontalOf(const ResizeShape& shape) {
  return {shape.source_width, shape.target_width, shape.kept.left, shape.kept.width, shape.interpolation};
}

LineResize VerticalOf(const ResizeShape& shape) {
  return {shape.source_height, shape.target_height, shape.kept.top, shape.kept.height, shape.interpolation};
}

/// Nearest takes one sample, so that its order does not show; horizontal first then touches fewer bytes.
bool IsVerticalFirst(const ResizeShape& shape) {
  if (shape.interpolation == Interpolation::kNearest) return false;
  const int64_t lower = int64_t{shape.source_height} - shape.target_height;
  const int64_t narrower = int64_t{shape.source_width} - shape.target_width;
  return lower > 0 && lower > 2 * narrower;
}

Status CheckShape(const ResizeShape& shape) {
  const Crop& kept = shape.kept;
  if (shape.source_width < 1 || shape.source_height < 1 || shape.target_width < 1 ||
      shape.target_height < 1) {
    return Status::Error(Code::kInvalidArgument, "cannot resize %d x %d to %d x %d: sides must be positive",
                         shape.source_width, shape.source_height, shape.target_width, shape.target_height);
  }
  if (kept.left < 0 || kept.top < 0 || kept.width < 1 || kept.height < 1 ||
      kept.width > shape.target_width - kept.left || kept.height > shape.target_height - kept.top) {
    return Status::Error(Code::kInvalidArgument,
                         "cannot keep %d x %d pixels from (%d, %d) on of a %d x %d picture", kept.width,
                         kept.height, kept.left, kept.top, shape.target_width, shape.target_height);
  }
  return {};
}

/// Hands out pieces of a block one after the other; with a null base it only counts.
class Carver {
 public:
  explicit Carver(uint8_t* base) : base_(base) {}

  template <typename T>
  T* Take(size_t count) {
    T* piece = base_ == nullptr ? nullptr : reinterpret_cast<T*>(base_ + bytes_);
    bytes_ += RoundUp(count * sizeof(T));
    return piece;
  }

  void TakeTaps(Taps* taps) {
    const size_t count = static_cast<size_t>(taps->count);
    taps->first = Take<int32_t>(count);
    taps->used = Take<int32_t>(count);
    taps->weights = Take<int32_t>(count * static_cast<size_t>(taps->stride));
  }

  void TakeTaps(FrameTaps* taps, const Taps& exact) {
    const size_t pairs = static_cast<size_t>(exact.count + 1) / 2;
    taps->stride = (exact.widest_of_two + kFrameTapGroup - 1) / kFrameTapGroup * kFrameTapGroup;
    taps->first = Take<int32_t>(pairs);
    taps->weights = Take<int16_t>(2 * pairs * static_cast<size_t>(taps->stride) + kFrameTapGroup);
  }

  void TakeWeights(FrameWeights* taps, const Taps& exact) {
    taps->stride = (exact.widest + 1) / 2 * 2;
    taps->weights = Take<int16_t>(static_cast<size_t>(exact.count) * static_cast<size_t>(taps->stride));
  }

  size_t bytes() const { return bytes_; }

 private:
  uint8_t* base_;
  size_t bytes_ = 0;
};

/// MixRows, or the copy that it amounts to.
void Mix(const uint8_t* const* rows, const int32_t* weights, int used, size_t bytes, uint8_t* out) {
  if (used == 1 && weights[0] == 1 << kWeightBits) {
    std::memcpy(out, rows[0], bytes);
  } else {
    MixRows(rows, weights, used, bytes, out);
  }
}

void ResizeRow(const uint8_t* row, const Taps& taps, int channels, uint8_t* out) {
  if (channels == 1) {
    ResizeRowGray(row, taps, out);
  } else {
    ResizeRowRgb(row, taps, out);
  }
}

}  // namespace

Status ResizePlan::Prepare(const ResizeShape& shape) {
  if (shape == shape_) return {};
  shape_ = {};
  VITRINE_RETURN_IF_ERROR(CheckShape(shape));
  const LineResize across = HorizontalOf(shape), down = VerticalOf(shape);
  horizontal_ = MeasureTaps(across);
  vertical_ = MeasureTaps(down);
  vertical_first_ = IsVerticalFirst(shape);
  wide_rows_ = vertical_first_ || horizontal_.identity;
  const int row_pixels = wide_rows_ ? horizontal_.source_end - horizontal_.source_begin : horizontal_.count;
  row_bytes_ = static_cast<size_t>(row_pixels) * static_cast<size_t>(shape.channels);
  by_frame_rows_ = shape.is_yuv && shape.channels == 3 && !wide_rows_;
  plane_stride_ =
      horizontal_.source_end - horizontal_.source_begin + horizontal_.widest_of_two + kFrameRowPadding;
  // The one product that could be too large for 32 bits: a ring of the whole of a very large picture.
  if (uint64_t{ring_row_bytes()} * static_cast<uint64_t>(vertical_.widest) > PTRDIFF_MAX / 2) {
    return Status::Error(Code::kOutOfMemory, "no memory to resize %d x %d", shape.source_width,
                         shape.source_height);
  }
  const size_t bytes = Lay(nullptr);
  VITRINE_RETURN_IF_ERROR(memory_.Reserve(bytes));
  Lay(memory_.data());
  ComputeTaps(across, horizontal_);
  ComputeTaps(down, vertical_);
  if (by_frame_rows_) {
    by_frame_rows_ = RoundTaps(horizontal_, horizontal_.source_begin / 2 * 2, &frame_horizontal_) &&
                     RoundTaps(vertical_, &frame_vertical_);
  }
  shape_ = shape;
  return {};
}

/// Points every array into the memory at `base`, and returns how many bytes that takes.
size_t ResizePlan::Lay(uint8_t* base) {
  Carver carver(base);
  carver.TakeTaps(&horizontal_);
  carver.TakeTaps(&vertical_);
  const size_t slots = static_cast<size_t>(vertical_.widest);
  window_ = carver.Take<const uint8_t*>(slots + 1);
  ring_ = carver.Take<uint8_t>(slots * ring_row_bytes());
  mixed_ = carver.Take<uint8_t>(row_bytes_);
  spread_ = carver.Take<uint8_t>(static_cast<size_t>(horizontal_.source_end - horizontal_.source_begin) * 4 +
                                 kRowPadding);
  if (by_frame_rows_) {
    carver.TakeTaps(&frame_horizontal_, horizontal_);
    carver.TakeWeights(&frame_vertical_, vertical_);
    planes_ = carver.Take<int16_t>(3 * static_cast<size_t>(plane_stride_));
  }
  return carver.bytes();
}

size_t ResizePlan::ring_row_bytes() const {
  return RoundUp(by_frame_rows_ ? 2 * (row_bytes_ + kFrameRowPadding) : row_bytes_);
}

uint8_t* ResizePlan::RingRow(int y) const {
  return ring_ + static_cast<size_t>(y % vertical_.widest) * ring_row_bytes();
}

/// Reads source row y into its slot of the ring, resized to the target's width if that comes first.
void ResizePlan::MakeRow(const RowReader& source, int y) {
  const int begin = horizontal_.source_begin, count = horizontal_.source_end - begin;
  if (wide_rows_) {
    source.read(source.picture, begin, y, count, shape_.channels == 1 ? RowLayout::kGray : RowLayout::kRgb,
                RingRow(y));
  } else {
    source.read(source.picture, begin, y, count, shape_.channels == 1 ? RowLayout::kGray : RowLayout::kRgbx,
                spread_);
    ResizeRow(spread_, horizontal_, shape_.channels, RingRow(y));
  }
}

/// Resizes a row of the source's width, which MixRows made, to the target's.
void ResizePlan::Narrow(const uint8_t* row, uint8_t* out) {
  if (shape_.channels == 1) return ResizeRowGray(row, horizontal_, out);
  SpreadRgb(row, horizontal_.source_end - horizontal_.source_begin, false, spread_);
  ResizeRowRgb(spread_, horizontal_, out);
}

void ResizePlan::Run(const ImageView& source, uint8_t* out, ptrdiff_t out_stride) {
  if (by_frame_rows_) return RunFrame(source, out, out_stride);
  const RowReader rows = {[](const void* picture, int x, int y, int count, RowLayout layout, uint8_t* row) {
                            ReadRow(*static_cast<const ImageView*>(picture), x, y, count, layout, row);
                          },
                          &source};
  const RowLayout packed = shape_.channels == 1 ? RowLayout::kGray : RowLayout::kRgb;
  RunRows(rows, wide_rows_ && IsLayoutOf(source.format, packed) ? &source : nullptr, out, out_stride);
}

void ResizePlan::Run(const RowReader& source, uint8_t* out, ptrdiff_t out_stride) {
  RunRows(source, nullptr, out, out_stride);
}

/// `in_place`: a picture whose rows need no reading.
void ResizePlan::RunRows(const RowReader& source, const ImageView* in_place, uint8_t* out,
                         ptrdiff_t out_stride) {
  const ptrdiff_t begin_bytes = ptrdiff_t{shape_.channels} * horizontal_.source_begin;
  const bool narrow_last = vertical_first_ && !horizontal_.identity;
  int made = vertical_.source_begin;  // rows before this one are, or were, in the ring
  for (int i = 0; i < vertical_.count; ++i, out += out_stride) {
    const int first = vertical_.first[i], used = vertical_.used[i];
    if (in_place == nullptr) {
      for (made = std::max(made, first); made < first + used; ++made) MakeRow(source, made);
    }
    for (int t = 0; t < used; ++t) {
      window_[t] = in_place != nullptr ? in_place->pixels + (first + t) * in_place->stride_bytes + begin_bytes
                                       : RingRow(first + t);
    }
    const int32_t* weights = vertical_.weights + static_cast<ptrdiff_t>(i) * vertical_.stride;
    Mix(window_, weights, used, row_bytes_, narrow_last ? mixed_ : out);
    if (narrow_last) Narrow(mixed_, out);
  }
}

// A camera's YUV in 16 bits: each row is converted as far as the crop needs it, narrowed into the ring, and mixed from
// there.

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
