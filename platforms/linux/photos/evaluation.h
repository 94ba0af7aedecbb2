// SPDX-License-Identifier: Apache-2.0
// What vitrine eval counts, and how it is said.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>
#include <vitrine/vitrine.hpp>

#include "platforms/linux/photos/photo_set.h"
#include "platforms/linux/photos/top_k.h"

namespace vitrine {

/// A photo on which the two models name different classes.
struct Difference {
  std::string image;
  int truth;
  std::vector<Guess> ours, theirs;
};

/// Against another model: the energy of its output, and of what ours adds to it.
struct Comparison {
  double signal = 0, noise = 0;
  int same = 0;
  std::vector<Difference> differences;

  double sqnr_db() const { return noise > 0 ? 10 * std::log10(signal / noise) : 200; }
};

struct Evaluation {
  int images = 0, right = 0, right_in_five = 0, unreadable = 0;
  std::map<std::pair<int, int>, int> confusion;  // (truth, answer) -> photos
  std::vector<double> latency_ms;
  Comparison against;

  double Fraction(int count) const { return static_cast<double>(count) / std::max(1, images); }
  double LatencyPercentile(double percent) const {
    if (latency_ms.empty()) return 0;
    const size_t rank = static_cast<size_t>(percent / 100 * static_cast<double>(latency_ms.size() - 1) + 0.5);
    return latency_ms[rank];
  }
};

/// What an evaluation was of. `against` is empty where there is no other model.
struct EvaluationSubject {
  const Model& model;
  const PhotoSet& set;
  int classes;  ///< 0: a model without a classifier
  std::string model_path, photos_path, against;
};

/// On stdout: JSON on one line, or text for people, with a matrix of the classes where there are few.
void PrintAsJson(const Evaluation& evaluation, const EvaluationSubject& subject);
void PrintAsText(const Evaluation& evaluation, const EvaluationSubject& subject);

}  // namespace vitrine
