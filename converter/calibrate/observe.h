// SPDX-License-Identifier: Apache-2.0
// From the values of a tensor on calibration images to the range that its int8 covers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "converter/quantize/matrix.h"
#include "converter/quantize/plan.h"

namespace vitrine {

/// The values from `low` to `high`; contains zero.
struct ValueRange {
  float low = 0, high = 0;
};

/// Some rows of a tensor, and the ranges of all rows. Takes the rows image by image and keeps about `most` of them,
/// spread over images and places. Equal images give equal rows.
class RowSamples {
 public:
  RowSamples(size_t columns, size_t rows_an_image, size_t images, size_t most);

  /// Adds the rows [rows_an_image, columns] of image `image`.
  void Add(size_t image, std::span<const float> rows);

  /// Returns the rows that are kept.
  MatrixView rows() const { return {values_.data(), values_.size() / columns_, columns_, columns_}; }
  /// Returns the range of each column over all rows.
  std::span<const ValueRange> ranges() const { return ranges_; }

 private:
  bool Keeps(size_t row) const;

  size_t columns_, rows_an_image_, all_rows_, most_;
  std::vector<float> values_;
  std::vector<ValueRange> ranges_;
};

/// Returns static int8 that covers the range: asymmetric, zero exact.
TensorPlan StaticTensor(ValueRange range);

/// Returns `value` after rounding to static int8 and back.
float ThroughInt8(const TensorPlan& tensor, float value);

/// The number of values in each of 2048 equal parts of a range.
class Histogram {
 public:
  Histogram(std::span<const float> values, ValueRange range);

  /// Returns the range without the outermost values: the share `fraction` at each end.
  ValueRange Percentile(double fraction) const;

  /// Returns the mean square error of function(value) when the values go through a static int8 tensor.
  double Loss(const TensorPlan& tensor, const std::function<double(double)>& function = {}) const;

  /// Returns the range with the smallest Loss, found by moving each end inwards in turn.
  ValueRange LeastLoss(const std::function<double(double)>& function = {}) const;

 private:
  static constexpr size_t kBins = 2048;
  double Center(size_t bin) const { return double{range_.low} + (static_cast<double>(bin) + 0.5) * width_; }

  ValueRange range_;
  double width_;
  size_t count_;
  std::vector<uint32_t> bins_;
};

/// How to choose a range.
enum class RangeObserver {
  kMinMax,      ///< all values
  kPercentile,  ///< without the outermost 0.01% at each end
  kMeanSquare,  ///< the range with the smallest mean square error
};

/// Returns the tensor that an observer chooses for values in `range`, of which `values` are a sample.
TensorPlan Observe(RangeObserver observer, std::span<const float> values, ValueRange range);

}  // namespace vitrine
