// SPDX-License-Identifier: Apache-2.0
// The error that a choice of types and scales causes at a linear layer's outputs, measured on rows of its input.
#pragma once

#include <span>
#include <vector>

#include "converter/calibrate/observe.h"
#include "converter/quantize/plan.h"

namespace vitrine {

/// A linear layer, or several that read the same rows: their outputs in f32 and after a choice.
class LayerTrial {
 public:
  /// `samples` and `weight` [outputs, samples.columns] must outlive this object.
  LayerTrial(const RowSamples& samples, std::span<const float> weight, int threads);

  /// Returns the factors that even out columns: activations^strength / weights^(1 - strength), with a geometric mean
  /// of 1 (SmoothQuant, arXiv 2211.10438).
  std::vector<float> SmoothingFactors(float strength) const;
  /// Divides the rows by the factors, multiplies the weights by them and rounds the weights to int8, instead of the
  /// factors before. Empty: all factors are 1.
  void Smooth(std::span<const float> factors);

  /// Returns the tensor that an observer chooses for the smoothed rows.
  TensorPlan Observe(RangeObserver observer) const { return vitrine::Observe(observer, rows_, range_); }
  /// Returns the error of the outputs when the rows go through `tensor`, QS8 or QD8: the quadratic mean of the rows'
  /// squared errors.
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
