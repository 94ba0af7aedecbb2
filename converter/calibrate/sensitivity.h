// SPDX-License-Identifier: Apache-2.0
// Sensitivity: what static int8 in one tensor alone costs at the model's output.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "converter/measure/check_images.h"
#include "converter/vit/vit.h"
#include "converter/quantize/plan.h"

namespace vitrine {

/// Returns, for each tensor of the plan that linear layers read, the noise that its static int8 and that of
/// the layers' weights bring to the output when all else is f32, divided by the signal. What a block makes of
/// it goes on through the blocks behind it in f32, for at most four of the images, fewer where their tokens
/// would take more than 256 MB.
std::map<std::string, double> MeasureSensitivity(const Vit& vit, const CheckImages& images, const Plan& plan,
                                                 int threads, const std::function<void(double)>& progress);

}  // namespace vitrine
