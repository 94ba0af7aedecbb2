// SPDX-License-Identifier: Apache-2.0
#include "converter/calibrate/observe.h"

#include <algorithm>
#include <cmath>

#include "runtime/kernels/rows.h"

namespace vitrine {

RowSamples::RowSamples(size_t columns, size_t rows_an_image, size_t images, size_t most)
    : columns_(columns),
      rows_an_image_(rows_an_image),
      all_rows_(rows_an_image * images),
      most_(most),
      ranges_(columns) {
  values_.reserve(columns * std::min(all_rows_, most + most / 4));
}

bool RowSamples::Keeps(size_t row) const {
  if (all_rows_ <= most_) return true;
  // Multiples of the golden ratio are spread evenly for any step and follow no pattern of the image's rows.
  const uint32_t place = static_cast<uint32_t>(row) * 2654435769u;
  return uint64_t{place} * all_rows_ < (uint64_t{most_} << 32);
}

void RowSamples::Add(size_t image, std::span<const float> rows) {
  for (size_t r = 0; r < rows_an_image_; ++r) {
    const std::span<const float> row = rows.subspan(r * columns_, columns_);
    for (size_t c = 0; c < columns_; ++c) {
      ranges_[c].low = std::min(ranges_[c].low, row[c]);
      ranges_[c].high = std::max(ranges_[c].high, row[c]);
    }
    if (Keeps(image * rows_an_image_ + r)) values_.insert(values_.end(), row.begin(), row.end());
  }
}

TensorPlan StaticTensor(ValueRange range) {
  const kernels::RowQuantization q = kernels::QuantizerOf(range.low, range.high).quantization;
  return {schema::Type::QS8, q.scale, static_cast<int8_t>(q.zero_point)};
}

float ThroughInt8(const TensorPlan& tensor, float value) {
  const float zero_point = tensor.zero_point;
  const float q = std::clamp(std::nearbyint(value / tensor.scale) + zero_point, -128.0f, 127.0f);
  return (q - zero_point) * tensor.scale;
}

Histogram::Histogram(std::span<const float> values, ValueRange range)
    : range_(range),
      width_((double{range.high} - double{range.low}) / kBins),
      count_(values.size()),
      bins_(kBins) {
  for (const float value : values) {
    const double place = width_ > 0 ? (double{value} - double{range.low}) / width_ : 0;
    ++bins_[static_cast<size_t>(std::clamp(place, 0.0, static_cast<double>(kBins - 1)))];
  }
}

ValueRange Histogram::Percentile(double fraction) const {
  const double left_out = fraction * static_cast<double>(count_);
  size_t low = 0, high = kBins - 1;
  for (double sum = 0; low < high && (sum += bins_[low]) <= left_out; ++low) {
  }
  for (double sum = 0; high > low && (sum += bins_[high]) <= left_out; --high) {
  }
  return {std::min(0.0f, static_cast<float>(Center(low) - width_ / 2)),
          std::max(0.0f, static_cast<float>(Center(high) + width_ / 2))};
}

double Histogram::Loss(const TensorPlan& tensor, const std::function<double(double)>& function) const {
  double loss = 0;
  for (size_t bin = 0; bin < kBins; ++bin) {
    if (bins_[bin] == 0) continue;
    const double value = Center(bin);
    const double through = double{ThroughInt8(tensor, static_cast<float>(value))};
    const double difference = function ? function(through) - function(value) : through - value;
    loss += bins_[bin] * difference * difference;
  }
  return loss / static_cast<double>(std::max<size_t>(1, count_));
}

ValueRange Histogram::LeastLoss(const std::function<double(double)>& function) const {
  constexpr int kRounds = 2, kSteps = 40;
  ValueRange best = range_;
  double least = Loss(StaticTensor(best), function);
  for (int round = 0; round < kRounds; ++round) {
    for (float ValueRange::*end : {&ValueRange::low, &ValueRange::high}) {
      for (int i = 1; i <= kSteps; ++i) {
        ValueRange candidate = best;
        candidate.*end = range_.*end * static_cast<float>(i) / kSteps;
        const double loss = Loss(StaticTensor(candidate), function);
        if (loss < least) least = loss, best = candidate;
      }
    }
  }
  return best;
}

TensorPlan Observe(RangeObserver observer, std::span<const float> values, ValueRange range) {
  constexpr double kLeftOut = 1e-4;
  if (observer == RangeObserver::kMinMax) return StaticTensor(range);
  const Histogram histogram(values, range);
  return StaticTensor(observer == RangeObserver::kPercentile ? histogram.Percentile(kLeftOut)
                                                             : histogram.LeastLoss());
}

}  // namespace vitrine
