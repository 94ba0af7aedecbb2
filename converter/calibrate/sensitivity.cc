// SPDX-License-Identifier: Apache-2.0
#include "converter/calibrate/sensitivity.h"

#include <algorithm>
#include <vector>

#include "converter/measure/segment.h"

namespace vitrine {
namespace {

using Values = std::vector<float>;

constexpr size_t kMostImages = 4, kMostBytes = size_t{1} << 28;

std::span<const uint8_t> BytesOf(const Values& values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)};
}

/// Returns a plan in f32 with the smoothing of `plan`, so that the only noise is that of the tensor that is tried.
Plan F32Plan(const Plan& plan) {
  Plan f32(Recipe::kF32);
  f32.smoothing = plan.smoothing;
  return f32;
}

/// Returns the tensors of the plan that linear layers of a segment read.
std::vector<Layer> TriedTensors(const Segment& segment, const Plan& plan) {
  std::vector<Layer> layers;
  for (const Segment::Linear& linear : segment.linears()) {
    const bool is_new = std::find(layers.begin(), layers.end(), linear.rows) == layers.end();
    if (is_new && plan.tensors.contains(linear.rows)) layers.push_back(linear.rows);
  }
  return layers;
}

/// The noise of one tensor on its way through the model: each image's tokens with this noise.
struct Trail {
  Layer layer;
  std::vector<Values> images;
};

class Measurement {
 public:
  Measurement(const Vit& vit, const CheckImages& images, const Plan& plan, int threads)
      : vit_(vit), plan_(plan), f32_(F32Plan(plan)), threads_(threads) {
    const VitConfig& config = vit.config;
    const size_t bytes =
        static_cast<size_t>(config.tokens()) * static_cast<size_t>(config.width) * sizeof(float);
    const size_t fit = kMostBytes / (bytes * std::max<size_t>(1, plan.tensors.size()));
    const size_t count = std::min({images.pixels.size(), kMostImages, std::max<size_t>(1, fit)});
    Segment embedding(vit, 0, f32_, threads);
    for (size_t i = 0; i < count; ++i) {
      const auto tokens = embedding.Run(images.pixels[i * images.pixels.size() / count]);
      exact_.emplace_back(tokens.begin(), tokens.end());
    }
  }

  /// Runs segment `index` for every trail and starts the trails of its own tensors.
  void Advance(int index) {
    Segment exact(vit_, index, f32_, threads_);
    for (Trail& trail : trails_) Run(&exact, trail.images, &trail.images);
    for (const Layer& layer : TriedTensors(exact, plan_)) {
      Plan tried = f32_;
      tried.tensors[layer] = plan_.tensors.at(layer);
      Segment segment(vit_, index, tried, threads_);
      trails_.push_back({layer, {}});
      Run(&segment, exact_, &trails_.back().images);
    }
    Run(&exact, exact_, &exact_);
  }

  std::map<Layer, double> Result() const {
    std::map<Layer, double> result;
    for (const Trail& trail : trails_) {
      Sqnr sqnr;
      for (size_t i = 0; i < exact_.size(); ++i) sqnr.Add(exact_[i], trail.images[i]);
      result[trail.layer] = NoiseShare(sqnr);
    }
    return result;
  }

 private:
  static void Run(Segment* segment, const std::vector<Values>& from, std::vector<Values>* to) {
    to->resize(from.size());
    for (size_t i = 0; i < from.size(); ++i) {
      const std::span<const float> output = segment->Run(BytesOf(from[i]));
      (*to)[i].assign(output.begin(), output.end());
    }
  }

  const Vit& vit_;
  const Plan& plan_;
  const Plan f32_;
  const int threads_;
  std::vector<Values> exact_;  // each image's tokens in f32
  std::vector<Trail> trails_;
};

}  // namespace

double NoiseShare(const Sqnr& sqnr) { return sqnr.noise / std::max(sqnr.signal, 1e-30); }

std::map<Layer, double> MeasureSensitivity(const Vit& vit, const CheckImages& images, const Plan& plan,
                                           int threads, const std::function<void(double)>& progress) {
  Measurement measurement(vit, images, plan, threads);
  const int last = vit.config.depth + 1;
  for (int index = 1; index <= last; ++index) {
    measurement.Advance(index);
    // Each block runs more trails than the one before.
    progress(static_cast<double>(index * (index + 1)) / (last * (last + 1)));
  }
  return measurement.Result();
}

}  // namespace vitrine
