// SPDX-License-Identifier: Apache-2.0
// The recipe `mixed`: for each linear layer the cheapest type with which the model stays within a budget.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>
#include <vitrine/sqnr.hpp>

#include "converter/calibrate/calibrate.h"
#include "converter/measure/check_images.h"
#include "converter/quantize/plan.h"
#include "converter/vit/vit.h"

namespace vitrine {

/// Returns for each tensor of the plan that linear layers read the noise at the output, divided by the signal, when
/// that tensor and the weights that read it are static int8 and everything else is f32. Uses at most four of the
/// images, fewer where their tokens would need more than 256 MB.
std::map<Layer, double> MeasureSensitivity(const Vit& vit, const CheckImages& images, const Plan& plan,
                                           int threads, const std::function<void(double)>& progress);

/// Returns the noise divided by the signal.
double NoiseShare(const Sqnr& sqnr);

/// The largest error that the model may have on the calibration images.
struct Budget {
  /// The smallest SQNR of the output against f32. None: 36 dB, or 1 dB less than dynamic int8 gives if that is lower,
  /// since only f32 would give more.
  std::optional<double> min_sqnr_db;
  std::optional<double> max_accuracy_drop;  ///< fraction of the images, against f32; needs their classes
};

/// The calibration images and the f32 model's results for them.
struct MixedImages {
  const CheckImages& images;
  const std::vector<std::vector<float>>& expected;  ///< f32 outputs
  std::vector<int> classes;                         ///< the true class of each image; empty: not known
};

/// Changes tensors of `plan`, which are all static at first, to dynamic or f32 until the model is within the budget.
/// The tensors' sensitivity gives the order: first those that remove most noise for their cost. Running the model shows
/// how many are needed. `rows` are the calibrator's. Calls `progress` with the fraction that is done.
void ChooseTypes(const Vit& vit, const MixedImages& images, const std::map<Layer, Calibrator::Rows>& rows,
                 const Budget& budget, int threads, const std::function<void(double)>& progress, Plan* plan);

}  // namespace vitrine
