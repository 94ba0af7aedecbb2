// SPDX-License-Identifier: Apache-2.0
#include "converter/calibrate/calibrate.h"

#include <algorithm>
#include <array>

#include "converter/calibrate/layer_trial.h"
#include "runtime/kernels/activation_rows.h"

namespace vitrine {
namespace {

// Rows of a tensor on which choices are measured (512 and 2048 gave the same), and from which a Gram matrix
// is made, which takes more than there are columns.
constexpr size_t kRows = 256, kRowsForGram = 2048;

// Products of matrices, unlike a model's pool of threads, do not hold a processor that others want.
constexpr int kAllProcessors = 0;

constexpr std::array kObservers = {RangeObserver::kMinMax, RangeObserver::kPercentile,
                                   RangeObserver::kMeanSquare};
// SmoothQuant's migration strength. What is best lies around 0.7 on most tensors of DINOv2-S,
// and is tried on each.
constexpr std::array kStrengths = {0.4f, 0.55f, 0.7f, 0.85f};

/// Whether something before a tensor can divide its columns: a norm's gamma, the value's weights, a gate's.
bool CanSmooth(const std::string& name, bool gated_mlp) {
  if (!name.starts_with("block ")) return false;
  return gated_mlp || !name.ends_with(" activation");
}

/// The range in which a table loses least of what its function gives: below zero most functions are flat.
TensorPlan TableInput(const Segment::Table& table, const RowSamples& samples) {
  const MatrixView rows = samples.rows();
  ValueRange range;
  for (const ValueRange& column : samples.ranges())
    range = {std::min(range.low, column.low), std::max(range.high, column.high)};
  const auto activation = static_cast<kernels::Activation>(table.function);
  const Histogram histogram({rows.data, rows.rows * rows.columns}, range);
  return StaticTensor(
      histogram.LeastLoss([=](double x) { return kernels::ExactActivation(activation, x); }));
}

}  // namespace

Calibrator::Calibrator(const Vit& vit, const CheckImages& images, const CalibrationOptions& options,
                       int threads)
    : config_(vit.config),
      options_(options),
      images_(images.pixels.size()),
      reference_(vit, images.pixels, threads) {}

/// What is collected of a segment: the rows that its layers read, and those that a table might.
void Calibrator::Prepare(const Segment& segment, bool is_static) {
  std::map<std::string, std::pair<size_t, size_t>> shapes;
  for (const OperatorInfo& op : segment.operators())
    shapes[op.name] = {static_cast<size_t>(op.rows), static_cast<size_t>(op.columns)};
  const auto samples = [&](const std::string& name, size_t most) {
    return RowSamples(shapes[name].second, shapes[name].first, images_, most);
  };
  for (const Segment::Linear& linear : segment.linears()) {
    if (!linear.name.starts_with("block ") && !linear.name.starts_with("pool ")) continue;
    const size_t most = is_static ? kRows : kRowsForGram;
    Readers& readers = readers_
                           .try_emplace(linear.rows, Readers{samples(linear.rows, most),
                                                             static_cast<int64_t>(shapes[linear.rows].first),
                                                             {}})
                           .first->second;
    readers.weight.insert(readers.weight.end(), linear.weight.begin(), linear.weight.end());
  }
  for (const Segment::Table& table : segment.tables()) {
    if (is_static && options_.tables && readers_.contains(table.output))
      hidden_.try_emplace(table.input, Hidden{table, samples(table.input, kRows)});
  }
}

void Calibrator::Follow(const Segment& segment, size_t image, int op) {
  const std::string name = segment.operators()[static_cast<size_t>(op)].name;
  const auto readers = readers_.find(name);
  const auto hidden = hidden_.find(name);
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

void Calibrator::PlanRows(const std::string& name, const Readers& readers, Plan* plan) {
  LayerTrial trial(readers.samples, readers.weight, kAllProcessors);
  if (options_.smooth && CanSmooth(name, config_.gated_mlp)) {
    std::vector<float> factors = Smooth(&trial);
    if (!factors.empty()) plan->smoothing[name] = std::move(factors);
  }
  plan->tensors[name] = BestRange(trial);
  const double loss = trial.Loss(plan->tensors[name]);
  rows_[name] = {readers.rows * static_cast<int64_t>(readers.weight.size()),
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
  for (const auto& [name, readers] : readers_) {
    if (is_static) PlanRows(name, readers, plan);
    if (plan->int4_weights && options_.compensate_rounding)
      plan->grams[name] = Gram(readers.samples.rows(), kAllProcessors);
    progress(0.5 + 0.5 * ++done / static_cast<double>(readers_.size()));
  }
  for (const auto& [name, hidden] : hidden_) plan->tensors[name] = TableInput(hidden.table, hidden.samples);
}

}  // namespace vitrine
