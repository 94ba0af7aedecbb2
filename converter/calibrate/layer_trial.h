// SPDX-License-Identifier: Apache-2.0
// What a choice of types and scales costs a linear layer's outputs, measured on rows of its input.
#pragma once

#include <span>
#include <vector>

#include "converter/calibrate/row_samples.h"
#include "converter/quantize/plan.h"

namespace vitrine {

/// A linear layer, or several that read the same rows: what they give in f32, and what after a choice.
class LayerTrial {
 public:
  /// `samples` and `weight` [outputs, samples.columns] must outlive this object.
  LayerTrial(const RowSamples& samples, std::span<const float> weight, int threads);

  /// Returns the factors that even out columns: activations^strength / weights^(1 - strength), their
  /// geometric mean 1.
  std::vector<float> SmoothingFactors(float strength) const;
  /// From now on the rows are divided by the factors, and the weights multiplied and rounded to int8. Empty:
  /// by ones.
  void Smooth(std::span<const float> factors);

  /// What an observer proposes for the smoothed rows.
  TensorPlan Observe(RangeObserver observer) const { return vitrine::Observe(observer, rows_, range_); }
  /// Returns how much the outputs lose when the rows go through `tensor`, QS8 or QD8: the quadratic mean of
  /// the rows' squared errors.
  double Loss(const TensorPlan& tensor) const;

 private:
  MatrixView WeightView() const;

  const RowSamples& samples_;
  const std::span<const float> weight_;
  const int threads_;
  const size_t columns_, outputs_;
  std::vector<float> factors_, rows_, rounded_weight_, expected_;
  ValueRange range_;
};

}  // namespace vitrine
