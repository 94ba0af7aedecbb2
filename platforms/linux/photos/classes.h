// SPDX-License-Identifier: Apache-2.0
// Classes for people: the most probable ones, their names, and a class by its name.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>
#include <vitrine/vitrine.hpp>

namespace vitrine {

/// Returns the `count` most probable classes, or all, most probable first; of equal ones the first class.
std::vector<Guess> TopK(std::span<const float> logits, int count);

/// Returns the name of a class, or "class 7" where the model has no labels. The second makes it safe for a terminal.
std::string LabelOf(const Model& model, int index);
std::string PrintableLabelOf(const Model& model, int index);

/// Returns [{"index", "label", "probability"}, ...].
nlohmann::ordered_json AsJson(const Model& model, const std::vector<Guess>& top);

/// Finds classes by name or number. Upper and lower case, '_', '-' and ' ' are alike; where a label holds several names
/// between commas, each of them counts.
class Classes {
 public:
  Classes(const Model& model, int count);

  /// Returns the class, or -1 where there is none.
  int Find(const std::string& name) const;
  int count() const { return count_; }

 private:
  int count_;
  std::map<std::string, int> by_name_;
};

}  // namespace vitrine
