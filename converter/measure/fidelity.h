// SPDX-License-Identifier: Apache-2.0
// Fidelity: the error of a recipe, measured by running the written file and the same model in f32.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>
#include <vitrine/vitrine.hpp>

#include "converter/measure/check_images.h"
#include "converter/quantize/layer.h"
#include "converter/quantize/plan.h"
#include "converter/vit/vit.h"

namespace vitrine {

/// A channel is a column of activations or a row of weights.
struct Distribution {
  static constexpr size_t kBins = 61, kOutliers = 5;

  struct Channel {
    int index;
    float largest;  ///< magnitude
  };

  float reach = 0;                ///< the largest magnitude
  std::vector<uint32_t> counts;   ///< kBins equal parts of [-reach, reach]
  std::vector<Channel> outliers;  ///< the channels with the largest magnitudes, largest first
  float median_channel = 0;       ///< the largest magnitude of the median channel
};

enum class ChannelIs { kColumn, kRow };

/// Returns the distribution of values [rows, columns].
Distribution DistributionOf(std::span<const float> values, size_t columns, ChannelIs channel);

/// Returns the distribution of the weights of each of these operators (indices) of a model file, in f32. Without counts
/// for an operator without weights and for 4-bit weights. Throws Error when the file cannot be read.
std::vector<Distribution> WeightsOf(const std::filesystem::path& model, const std::vector<int>& operators);

/// The error at the output, over all images.
struct OutputFidelity {
  double sqnr_db = 0;
  double agreement = 1;  ///< fraction of images with the same top-1; 1 without a classifier
};

/// An image that the file puts in another class than f32.
struct ChangedImage {
  std::string name;
  std::vector<uint8_t> pixels;         ///< the model's input
  std::vector<Guess> expected, found;  ///< the five most probable classes, in f32 and of the file
};

struct Fidelity {
  int images = 0;
  bool synthetic = false;
  std::vector<OutputFidelity> levels;  ///< of each level of the file
  /// At each operator's output, for the first image. NaN where tokens have been merged: f32 has other tokens there.
  std::vector<double> operator_sqnr_db;
  /// The f32 outputs of each operator for the first image. Without counts where the SQNR is NaN.
  std::vector<Distribution> operator_values;
  std::vector<ChangedImage> changed;  ///< at the first level
  std::vector<float> first_output;    ///< of the file, for the self-test image
  size_t arena_bytes = 0;
};

/// A model file and how it was made.
struct WrittenModel {
  std::filesystem::path path;
  std::vector<Layer> operators;  ///< the layer of each operator of the first level
  const Vit& vit;
  const Plan& plan;  ///< that the file was lowered by
};

/// Runs the file and its model in f32 on the images. `self_test` runs first: Fidelity::first_output is its output, and
/// it counts for nothing else. `known` are the f32 outputs of the images; null where they are not known yet. Calls
/// `progress` with the fraction that is done; what it throws is thrown again. Throws Error when the file does not run.
Fidelity MeasureFidelity(const WrittenModel& file, const CheckImages& images,
                         const std::vector<uint8_t>& self_test, const std::vector<std::vector<float>>* known,
                         int threads, const std::function<void(double)>& progress);

/// Returns the index of the largest value.
size_t Top1(std::span<const float> values);

}  // namespace vitrine
