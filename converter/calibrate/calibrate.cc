// SPDX-License-Identifier: Apache-2.0
#include "converter/calibrate/calibrate.h"

#include <algorithm>
#include <array>

#include "converter/calibrate/layer_trial.h"
#include "runtime/kernels/activation_rows.h"

namespace vitrine {
namespace {

// The number of rows of a tensor on which choices are measured (512 and 2048 gave the same choices), and from which a
// Gram matrix is made, which needs more rows than columns.
constexpr size_t kRows = 256, kRowsForGram = 2048;

// Products of matrices may use all CPU cores: unlike a model's thread pool, their threads do not wait actively.
constexpr int kAllCores = 0;

constexpr std::array kObservers = {RangeObserver::kMinMax, RangeObserver::kPercentile,
                                   RangeObserver::kMeanSquare};
// SmoothQuant's migration strengths to try on each tensor. The best is near 0.7 on most tensors of DINOv2-S.
constexpr std::array kStrengths = {0.4f, 0.55f, 0.7f, 0.85f};

bool CanSmooth(const Layer& layer, bool gated_mlp) {
  switch (FactsOf(layer.kind).smoothing) {
    case LayerFacts::Smoothing::kNever:
      return false;
    case LayerFacts::Smoothing::kAlways:
      return true;
    case LayerFacts::Smoothing::kIfGated:
      return gated_mlp;
  }
  return false;
}

/// Returns whether calibration observes what a linear layer reads.
bool IsCalibrated(const Layer& layer) {
  switch (FactsOf(layer.kind).weights) {
    case LayerFacts::Weights::kTrunk:
      return true;
    case LayerFacts::Weights::kNone:
    case LayerFacts::Weights::kPixels:
    case LayerFacts::Weights::kLast:
      break;
  }
  return false;
}

/// Returns the range with the smallest error of the table's function. Most functions are flat below zero.
TensorPlan TableInput(const Segment::Table& table, const RowSamples& samples) {
  const MatrixView rows = samples.rows();
  ValueRange range;
  for (const ValueRange& column : samples.ranges())
    range = {std::min(range.low, column.low), std::max(range.high, column.high)};
  const auto activation = static_cast<kernels::Activation>(table.function);
  const Histogram histogram({rows.data, rows.rows * rows.columns}, range);
  return StaticTensor(histogram.LeastLoss([=](double x) { return kernels::ExactActivation(activation, x); }));
}

}  // namespace

Calibrator::Calibrator(const Vit& vit, const CheckImages& images, const CalibrationOptions& options,
                       int threads)
    : config_(vit.config),
      options_(options),
      images_(images.pixels.size()),
      reference_(vit, images.pixels, threads) {}

void Calibrator::Prepare(const Segment& segment, bool is_static) {
  std::map<Layer, std::pair<size_t, size_t>> shapes;
  for (int i = 0; const OperatorInfo& op : segment.operators())
    shapes[segment.layer(i++)] = {static_cast<size_t>(op.rows), static_cast<size_t>(op.columns)};
  const auto samples = [&](const Layer& layer, size_t most) {
    return RowSamples(shapes[layer].second, shapes[layer].first, images_, most);
  };
  for (const Segment::Linear& linear : segment.linears()) {
    if (!IsCalibrated(linear.layer)) continue;
    const size_t most = is_static ? kRows : kRowsForGram;
    Readers& readers = readers_
                           .try_emplace(linear.rows, Readers{samples(linear.rows, most),
                                                             static_cast<int64_t>(shapes[linear.rows].first),
                                                             {}})
                           .first->second;
    readers.weight.insert(readers.weight.end(), linear.weight.begin(), linear.weight.end());
  }
  for (const Segment::Table& table : segment.tables()) {
    if (is_static && options_.tables && FactsOf(table.input.kind).feeds_table)
      hidden_.try_emplace(table.input, Hidden{table, samples(table.input, kRows)});
  }
}

void Calibrator::Follow(const Segment& segment, size_t image, int op) {
  const auto readers = readers_.find(segment.layer(op));
  const auto hidden = hidden_.find(segment.layer(op));
  if (readers == readers_.end() && hidden == hidden_.end()) return;
  segment.Read(op, &values_);
  if (readers != readers_.end()) readers->second.samples.Add(image, values_);
  if (hidden != hidden_.end()) hidden->second.samples.Add(image, values_);
}

std::vector<float> Calibrator::Smooth(LayerTrial* trial) const {
  std::vector<float> best;
  double least = trial->Loss(trial->Observe(RangeObserver::kMeanSquare));
  for (const float strength : kStrengths) {
    const std::vector<float> factors = trial->SmoothingFactors(strength);
    trial->Smooth(factors);
    const double loss = trial->Loss(trial->Observe(RangeObserver::kMeanSquare));
    if (loss < least) least = loss, best = factors;
  }
  trial->Smooth(best);
  return best;
}

TensorPlan Calibrator::BestRange(const LayerTrial& trial) const {
  if (options_.observer) return trial.Observe(*options_.observer);
  TensorPlan best = trial.Observe(kObservers.front());
  double least = trial.Loss(best);
  for (const RangeObserver observer : std::span(kObservers).subspan(1)) {
    const TensorPlan tensor = trial.Observe(observer);
    const double loss = trial.Loss(tensor);
    if (loss < least) least = loss, best = tensor;
  }
  return best;
}

void Calibrator::PlanRows(const Layer& layer, const Readers& readers, Plan* plan) {
  LayerTrial trial(readers.samples, readers.weight, kAllCores);
  if (options_.smooth && CanSmooth(layer, config_.gated_mlp)) {
    std::vector<float> factors = Smooth(&trial);
    if (!factors.empty()) plan->smoothing[layer] = std::move(factors);
  }
  plan->tensors[layer] = BestRange(trial);
  const double loss = trial.Loss(plan->tensors[layer]);
  rows_[layer] = {readers.rows * static_cast<int64_t>(readers.weight.size()),
                  loss > 0 ? trial.Loss({schema::Type::QD8}) / loss : 1.0};
}

void Calibrator::PlanNext(Plan* plan, const std::function<void(double)>& progress) {
  const bool is_static = plan->recipe == Recipe::kStatic || plan->recipe == Recipe::kMixed;
  plan->grams.clear();
  readers_.clear();
  hidden_.clear();
  reference_.Advance([&](const Segment& segment, size_t image, int op) {
    if (image == 0 && op == 0) Prepare(segment, is_static);
    if (op == 0) progress(0.5 * static_cast<double>(image) / static_cast<double>(images_));
    Follow(segment, image, op);
  });
  double done = 0;
  for (const auto& [layer, readers] : readers_) {
    if (is_static) PlanRows(layer, readers, plan);
    if (plan->int4_weights && options_.compensate_rounding)
      plan->grams[layer] = Gram(readers.samples.rows(), kAllCores);
    progress(0.5 + 0.5 * ++done / static_cast<double>(readers_.size()));
  }
  for (const auto& [layer, hidden] : hidden_) plan->tensors[layer] = TableInput(hidden.table, hidden.samples);
}

}  // namespace vitrine
