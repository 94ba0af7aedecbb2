// SPDX-License-Identifier: Apache-2.0
// What vitrine eval counts, and how it prints that.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>
#include <vitrine/sqnr.hpp>
#include <vitrine/vitrine.hpp>

#include "platforms/linux/cli/measure.h"
#include "platforms/linux/photos/photo_set.h"

namespace vitrine {

/// A photo on which the two models name different classes.
struct Difference {
  std::string image;
  int truth;
  std::vector<Guess> ours, theirs;
};

/// Against another model.
struct Comparison {
  Sqnr sqnr;
  int same = 0;  ///< photos on which both name the same class
  std::vector<Difference> differences;
};

struct Evaluation {
  int images = 0, right = 0, right_in_five = 0, unreadable = 0;
  std::map<std::pair<int, int>, int> confusion;  // (truth, answer) -> photos
  Latencies latencies;
  Comparison against;

  double Fraction(int count) const { return static_cast<double>(count) / std::max(1, images); }
};

/// The models and photos of an evaluation. `against` is empty where there is no other model.
struct EvaluationSubject {
  const Model& model;
  const PhotoSet& set;
  int classes;  ///< 0: a model without a classifier
  std::string model_path, photos_path, against;
};

/// Print to stdout: JSON on one line; or text for people, with a confusion matrix where there are few classes.
void PrintAsJson(const Evaluation& evaluation, const EvaluationSubject& subject);
void PrintAsText(const Evaluation& evaluation, const EvaluationSubject& subject);

}  // namespace vitrine
