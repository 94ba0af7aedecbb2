// SPDX-License-Identifier: Apache-2.0
// Sensitivity: the error at the model's output that static int8 in one tensor alone causes.
#pragma once

#include <functional>
#include <map>
#include <vitrine/sqnr.hpp>

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

}  // namespace vitrine
