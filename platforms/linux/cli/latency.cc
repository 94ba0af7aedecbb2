// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/cli/latency.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace vitrine {

void Latencies::Add(double milliseconds) {
  milliseconds_.push_back(milliseconds);
  is_sorted_ = false;
}

double Latencies::Percentile(double percent) const {
  if (milliseconds_.empty()) return 0;
  if (!is_sorted_) std::sort(milliseconds_.begin(), milliseconds_.end());
  is_sorted_ = true;
  const double rank = std::ceil(percent / 100 * static_cast<double>(milliseconds_.size()));
  return milliseconds_[static_cast<size_t>(std::max(1.0, rank)) - 1];
}

nlohmann::ordered_json Latencies::AsJson() const {
  return {{"min", Percentile(0)}, {"p50", Percentile(50)}, {"p90", Percentile(90)}, {"p99", Percentile(99)}};
}

std::string Latencies::AsText() const {
  char text[120];
  std::snprintf(text, sizeof text, "min %.2f ms, p50 %.2f, p90 %.2f, p99 %.2f", Percentile(0), Percentile(50),
                Percentile(90), Percentile(99));
  return text;
}

}  // namespace vitrine
