// SPDX-License-Identifier: Apache-2.0
// The recipe `mixed`: for each linear layer the cheapest type with which the model keeps a budget.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "converter/calibrate/calibrate.h"
#include "converter/quantize/plan.h"

namespace vitrine {

/// What the model must keep on the calibration images.
struct Budget {
  /// Of the output against f32. None: 36, or 1 less than dynamic int8 gives where that is lower, since beyond
  /// it only f32 helps.
  std::optional<double> min_sqnr_db;
  std::optional<double> max_accuracy_drop;  ///< fraction of the images, against f32; needs their classes
};

/// The calibration images and what f32 makes of them.
struct MixedImages {
  const CheckImages& images;
  const std::vector<std::vector<float>>& expected;  ///< f32 outputs
  std::vector<int> classes;                         ///< of each image; empty: not known
};

/// Makes tensors of `plan`, all static at first, dynamic or f32 until the budget holds, first where that
/// takes most noise away for what it costs: the tensors' sensitivity says the order, and running the model
/// how far to go.
void ChooseTypes(const Vit& vit, const MixedImages& images,
                 const std::map<std::string, Calibrator::Rows>& rows, const Budget& budget, int threads,
                 const std::function<void(double)>& progress, Plan* plan);

}  // namespace vitrine
