// SPDX-License-Identifier: Apache-2.0
// Observers: from the values of a tensor on calibration images to the range that int8 stands for.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "converter/quantize/plan.h"

namespace vitrine {

/// The values from `low` to `high`, zero among them.
struct ValueRange {
  float low = 0, high = 0;
};

/// Returns int8 for the range: asymmetric, zero exact.
TensorPlan StaticTensor(ValueRange range);

/// Returns `value` as it is after going through a static int8 tensor.
float ThroughInt8(const TensorPlan& tensor, float value);

/// How often which value occurs.
class Histogram {
 public:
  Histogram(std::span<const float> values, ValueRange range);

  /// Returns the range without the outermost values, of which `fraction` are left out at each end.
  ValueRange Percentile(double fraction) const;

  /// The mean square that function(value) loses when the values go through a static int8 tensor.
  double Loss(const TensorPlan& tensor, const std::function<double(double)>& function = {}) const;

  /// Returns the range of least Loss: either end is moved in, in turn.
  ValueRange LeastLoss(const std::function<double(double)>& function = {}) const;

 private:
  static constexpr size_t kBins = 2048;
  double Center(size_t bin) const { return double{range_.low} + (static_cast<double>(bin) + 0.5) * width_; }

  ValueRange range_;
  double width_;
  size_t count_;
  std::vector<uint32_t> bins_;
};

/// From values to a range.
enum class RangeObserver {
  kMinMax,
  kPercentile,  ///< without the outermost 0.01 % at each end
  kMeanSquare,  ///< the range of least mean square error
};

/// What an observer proposes for `values`, which are some of those that lie in `range`.
TensorPlan Observe(RangeObserver observer, std::span<const float> values, ValueRange range);

}  // namespace vitrine
