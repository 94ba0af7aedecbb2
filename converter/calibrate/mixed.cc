// SPDX-License-Identifier: Apache-2.0
#include "converter/calibrate/mixed.h"

#include <algorithm>
#include <cmath>

#include "converter/calibrate/sensitivity.h"
#include "converter/measure/fidelity.h"
#include "converter/measure/segment.h"

namespace vitrine {
namespace {

using schema::Type;

// What a multiply-accumulate costs more than in static int8: writing and reading f32 between
// layers, and f32 kernels.
constexpr double kDynamicCost = 0.05, kF32Cost = 3;
constexpr double kSensitivityShare = 0.5;  // of the time; running models takes the rest
constexpr int kMostTrials = 8;
constexpr double kDefaultSqnrDb = 36, kBelowDynamicDb = 1;

/// A tensor in a costlier type.
struct Move {
  std::string tensor;
  Type type;
  double noise;  ///< that it takes away, of the output's signal
  double cost;
};

/// All moves, the one that takes most noise away for its cost first.
std::vector<Move> OrderMoves(const std::map<std::string, double>& sensitivity,
                             const std::map<std::string, Calibrator::Rows>& rows) {
  std::vector<Move> moves;
  for (const auto& [name, noise] : sensitivity) {
    const Calibrator::Rows& r = rows.at(name);
    const double macs = static_cast<double>(r.macs), dynamic = noise * std::min(1.0, r.dynamic_share);
    moves.push_back({name, Type::QD8, noise - dynamic, kDynamicCost * macs});
    moves.push_back({name, Type::F32, dynamic, kF32Cost * macs});
  }
  std::stable_sort(moves.begin(), moves.end(),
                   [](const Move& a, const Move& b) { return a.noise * b.cost > b.noise * a.cost; });
  return moves;
}

/// A table stands between two static layers only.
void DropTables(Plan* plan) {
  std::erase_if(plan->tensors, [&](const auto& entry) {
    const std::string& name = entry.first;
    if (!name.ends_with("fc1")) return false;
    const std::string prefix = name.substr(0, name.size() - 3);
    return plan->Rows(prefix + "norm2").type != Type::QS8 ||
           plan->Rows(prefix + "activation").type != Type::QS8;
  });
}

/// The plan after the first `count` moves. With all of them, what is not a tensor of the plan is f32 too.
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
  for (auto& [name, tensor] : dynamic.tensors) tensor = {name.ends_with("fc1") ? Type::F32 : Type::QD8};
  return dynamic;
}

size_t Top1(std::span<const float> values) {
  return static_cast<size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

/// Runs models on the images and compares with the budget.
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

  /// Sets noise() too.
  bool Holds(const Plan& plan) {
    Segment model(vit_, Segment::kWhole, plan, threads_);
    double signal = 0, noise = 0;
    int right = 0, right_in_f32 = 0;
    for (size_t i = 0; i < images_.expected.size(); ++i) {
      const std::vector<float>& expected = images_.expected[i];
      const std::span<const float> found = model.Run(images_.images.pixels[i]);
      for (size_t k = 0; k < expected.size(); ++k) {
        const double difference = double{found[k]} - double{expected[k]};
        signal += double{expected[k]} * double{expected[k]};
        noise += difference * difference;
      }
      if (images_.classes.empty()) continue;
      const size_t truth = static_cast<size_t>(images_.classes[i]);
      right += Top1(found) == truth;
      right_in_f32 += Top1(expected) == truth;
    }
    ++count_;
    noise_ = noise / std::max(signal, 1e-30);
    if (Decibels(signal, noise) < min_sqnr_db_) return false;
    const double drop =
        static_cast<double>(right_in_f32 - right) / static_cast<double>(images_.expected.size());
    return !max_accuracy_drop_ || drop <= *max_accuracy_drop_ + 1e-9;
  }
  double noise() const { return noise_; }
  int count() const { return count_; }

 private:
  const Vit& vit_;
  const MixedImages& images_;
  const std::optional<double> max_accuracy_drop_;
  const int threads_;
  double min_sqnr_db_;
  double noise_ = 0;
  int count_ = 0;
};

/// The number of moves after which the noise should be within the budget, from what it is after none.
size_t Predict(const std::vector<Move>& moves, double noise, double budget) {
  size_t count = 0;
  while (count < moves.size() && noise > budget) noise -= moves[count++].noise;
  return std::max<size_t>(1, count);
}

}  // namespace

void ChooseTypes(const Vit& vit, const MixedImages& images,
                 const std::map<std::string, Calibrator::Rows>& rows, const Budget& budget, int threads,
                 const std::function<void(double)>& progress, Plan* plan) {
  Trials trials(vit, images, budget, threads);
  if (!budget.min_sqnr_db) {
    trials.Holds(AllDynamic(*plan));
    trials.SetMinSqnr(std::min(kDefaultSqnrDb, Decibels(1, trials.noise()) - kBelowDynamicDb));
  }
  if (trials.Holds(*plan)) return;
  const double noise = trials.noise();
  const std::vector<Move> moves =
      OrderMoves(MeasureSensitivity(vit, images.images, *plan, threads,
                                    [&](double fraction) { progress(kSensitivityShare * fraction); }),
                 rows);
  // From what is predicted outwards in growing steps, then by halves between what fails and what holds.
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
