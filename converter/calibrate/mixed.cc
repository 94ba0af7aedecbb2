// SPDX-License-Identifier: Apache-2.0
#include "converter/calibrate/mixed.h"

#include <algorithm>
#include <cmath>
#include <vector>
#include <vitrine/sqnr.hpp>

#include "converter/measure/fidelity.h"
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

using schema::Type;

// The extra cost of a multiply-accumulate relative to static int8: writing and reading f32 between layers, and f32
// kernels.
constexpr double kDynamicCost = 0.05, kF32Cost = 3;
constexpr double kSensitivityShare = 0.5;  // of the time; the rest is running models
constexpr int kMostTrials = 8;
constexpr double kDefaultSqnrDb = 36, kBelowDynamicDb = 1;

/// The change of a tensor to a more expensive type.
struct Move {
  Layer tensor;
  Type type;
  double noise;  ///< that it removes, divided by the output's signal
  double cost;
};

/// Returns all moves, first the one that removes most noise for its cost.
std::vector<Move> OrderMoves(const std::map<Layer, double>& sensitivity,
                             const std::map<Layer, Calibrator::Rows>& rows) {
  std::vector<Move> moves;
  for (const auto& [layer, noise] : sensitivity) {
    const Calibrator::Rows& r = rows.at(layer);
    const double macs = static_cast<double>(r.macs), dynamic = noise * std::min(1.0, r.dynamic_share);
    moves.push_back({layer, Type::QD8, noise - dynamic, kDynamicCost * macs});
    moves.push_back({layer, Type::F32, dynamic, kF32Cost * macs});
  }
  std::stable_sort(moves.begin(), moves.end(),
                   [](const Move& a, const Move& b) { return a.noise * b.cost > b.noise * a.cost; });
  return moves;
}

bool FeedsTable(const Layer& layer) { return FactsOf(layer.kind).feeds_table; }

/// Removes the tables that are not between two static layers.
void DropTables(Plan* plan) {
  std::erase_if(plan->tensors, [&](const auto& entry) {
    const Layer& fc1 = entry.first;
    if (!FeedsTable(fc1)) return false;
    const bool is_pool = fc1.kind == Kind::kPoolFc1;
    const Layer norm = {fc1.block, is_pool ? Kind::kPoolNorm2 : Kind::kNorm2},
                activation = {fc1.block, is_pool ? Kind::kPoolActivation : Kind::kActivation};
    return plan->Rows(norm).type != Type::QS8 || plan->Rows(activation).type != Type::QS8;
  });
}

/// Returns the plan after the first `count` moves. After all moves, the tensors outside the plan are f32 too.
Plan Moved(const Plan& plan, const std::vector<Move>& moves, size_t count) {
  Plan moved = plan;
  for (size_t i = 0; i < count; ++i) {
    TensorPlan& tensor = moved.tensors[moves[i].tensor];
    if (tensor.type != Type::F32) tensor = {moves[i].type};
  }
  DropTables(&moved);
  if (count == moves.size()) moved.rows.type = moved.attention = Type::F32;
  return moved;
}

Plan AllDynamic(const Plan& plan) {
  Plan dynamic = plan;
  for (auto& [layer, tensor] : dynamic.tensors) tensor = {FeedsTable(layer) ? Type::F32 : Type::QD8};
  return dynamic;
}

/// Runs models on the images and compares them with the budget.
class Trials {
 public:
  Trials(const Vit& vit, const MixedImages& images, const Budget& budget, int threads)
      : vit_(vit),
        images_(images),
        max_accuracy_drop_(budget.max_accuracy_drop),
        threads_(threads),
        min_sqnr_db_(budget.min_sqnr_db.value_or(0)) {}

  double min_sqnr_db() const { return min_sqnr_db_; }
  void SetMinSqnr(double db) { min_sqnr_db_ = db; }

  /// Returns whether the model stays within the budget by this plan. Sets sqnr().
  bool Holds(const Plan& plan) {
    Segment model(vit_, Segment::kWhole, plan, threads_);
    sqnr_ = {};
    int right = 0, right_in_f32 = 0;
    for (size_t i = 0; i < images_.expected.size(); ++i) {
      const std::vector<float>& expected = images_.expected[i];
      const std::span<const float> found = model.Run(images_.images.pixels[i]);
      sqnr_.Add(expected, found);
      if (images_.classes.empty()) continue;
      const size_t truth = static_cast<size_t>(images_.classes[i]);
      right += Top1(found) == truth;
      right_in_f32 += Top1(expected) == truth;
    }
    ++count_;
    if (sqnr_.decibels() < min_sqnr_db_) return false;
    const double drop =
        static_cast<double>(right_in_f32 - right) / static_cast<double>(images_.expected.size());
    return !max_accuracy_drop_ || drop <= *max_accuracy_drop_ + 1e-9;
  }
  /// Returns the SQNR of the last model.
  const Sqnr& sqnr() const { return sqnr_; }
  int count() const { return count_; }

 private:
  const Vit& vit_;
  const MixedImages& images_;
  const std::optional<double> max_accuracy_drop_;
  const int threads_;
  double min_sqnr_db_;
  Sqnr sqnr_;
  int count_ = 0;
};

/// Returns the number of moves after which the noise should be within the budget, if it is `noise` without moves.
size_t Predict(const std::vector<Move>& moves, double noise, double budget) {
  size_t count = 0;
  while (count < moves.size() && noise > budget) noise -= moves[count++].noise;
  return std::max<size_t>(1, count);
}

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

void ChooseTypes(const Vit& vit, const MixedImages& images, const std::map<Layer, Calibrator::Rows>& rows,
                 const Budget& budget, int threads, const std::function<void(double)>& progress, Plan* plan) {
  Trials trials(vit, images, budget, threads);
  if (!budget.min_sqnr_db) {
    trials.Holds(AllDynamic(*plan));
    trials.SetMinSqnr(
        std::min(kDefaultSqnrDb, Sqnr{1, NoiseShare(trials.sqnr())}.decibels() - kBelowDynamicDb));
  }
  if (trials.Holds(*plan)) return;
  const double noise = NoiseShare(trials.sqnr());
  const std::vector<Move> moves =
      OrderMoves(MeasureSensitivity(vit, images.images, *plan, threads,
                                    [&](double fraction) { progress(kSensitivityShare * fraction); }),
                 rows);
  // Search outwards from the prediction in growing steps, then by halves between a count that fails and one that holds.
  size_t fails = 0, holds = moves.size(), step = 2;
  size_t next = Predict(moves, noise, std::pow(10.0, -trials.min_sqnr_db() / 10));
  while (holds - fails > 1 && trials.count() < kMostTrials) {
    progress(kSensitivityShare + (1 - kSensitivityShare) * trials.count() / kMostTrials);
    next = std::clamp(next, fails + 1, holds - 1);
    const bool held = trials.Holds(Moved(*plan, moves, next));
    (held ? holds : fails) = next;
    const bool outwards = held ? fails == 0 : holds == moves.size();
    if (outwards) {
      next = held ? next - std::min(step, next) : next + step;
      step *= 2;
    } else {
      next = (fails + holds) / 2;
    }
  }
  *plan = Moved(*plan, moves, holds);
}

}  // namespace vitrine
