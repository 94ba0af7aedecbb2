// SPDX-License-Identifier: Apache-2.0
// Fidelity: what the recipe costs, measured by running the written file beside the same model in f32.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>
#include <vitrine/vitrine.hpp>

#include "converter/measure/check_images.h"
#include "converter/vit/vit.h"
#include "converter/quantize/plan.h"
#include "converter/measure/distribution.h"

namespace vitrine {

/// At the output, over all images.
struct OutputFidelity {
  double sqnr_db = 0;
  double agreement = 1;  ///< fraction of images with the same top-1; 1 without a classifier
};

/// An image whose first class is another than f32's.
struct ChangedImage {
  std::string name;
  std::vector<uint8_t> pixels;         ///< the model's input
  std::vector<Guess> expected, found;  ///< the five most probable, in f32 and of the file
};

struct Fidelity {
  int images = 0;
  bool synthetic = false;
  std::vector<OutputFidelity> levels;  ///< of each level of the file
  /// On the first image, at each operator's output; NaN where tokens have been merged and the
  /// f32 model has others.
  std::vector<double> operator_sqnr_db;
  /// What each operator gives in f32 for the first image; without counts where the SQNR is NaN.
  std::vector<Distribution> operator_values;
  std::vector<ChangedImage> changed;  ///< at the first level
  std::vector<float> first_output;    ///< of the file, for the first image
  size_t arena_bytes = 0;
};

/// Runs the file at `path` and `vit` in f32 on the images. `plan` is what the file was lowered by. `progress`
/// is told the fraction that is done. `self_test` goes first in the file's output: Fidelity::first_output
/// belongs to it, and it does not count otherwise unless it is one of the images. `known` are the f32 outputs
/// of the images where they are known already; otherwise null. Throws Error when the file does not run.
Fidelity MeasureFidelity(const std::filesystem::path& path, const Vit& vit, const Plan& plan,
                         const CheckImages& images, const std::vector<uint8_t>& self_test,
                         const std::vector<std::vector<float>>* known, int threads,
                         const std::function<void(double)>& progress);

/// 10 log10(signal / noise), at most 200.
double Decibels(double signal, double noise);

}  // namespace vitrine
