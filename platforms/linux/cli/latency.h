// SPDX-License-Identifier: Apache-2.0
// Latencies of many inferences, and the figures that people and programs read of them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace vitrine {

class Latencies {
 public:
  void Add(double milliseconds);

  size_t count() const { return milliseconds_.size(); }
  /// Returns the smallest latency that at least `percent` of the inferences did not exceed; 0 where there is none.
  /// percent 0 is the minimum.
  double Percentile(double percent) const;

  /// {"min", "p50", "p90", "p99"} in milliseconds.
  nlohmann::ordered_json AsJson() const;
  /// "min 1.00 ms, p50 1.10, p90 1.20, p99 1.30"
  std::string AsText() const;

 private:
  mutable std::vector<double> milliseconds_;  // sorted when they are first asked for
  mutable bool is_sorted_ = true;
};

}  // namespace vitrine
