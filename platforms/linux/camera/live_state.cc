// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/live_state.h"

#include <algorithm>
#include <tuple>

#include "platforms/linux/camera/snapshot.h"

namespace vitrine {

void LiveState::Publish(const Decision& decision) {
  LiveReport report;
  report.frames = decision.number + 1;
  report.time = decision.frame.time;
  report.decided = FrameClock::now();
  report.top_count = TopProbabilities(decision.probabilities, report.top);
  report.latency_ms = decision.latency_ms;
  report.fps = decision.fps;
  report.level = decision.level;
  const auto& bounds = LatencyHistogram::kBoundsMs;
  const auto bound = std::lower_bound(bounds.begin(), bounds.end(), decision.latency_ms);
  {
    const std::lock_guard lock(mutex_);
    report_ = report;
    ++latencies_.counts[static_cast<size_t>(bound - bounds.begin())];
    latencies_.sum_ms += decision.latency_ms;
    if (!decision.attention_map.empty()) {
      attention_.frame = decision.number;
      attention_.map.assign(decision.attention_map.begin(), decision.attention_map.end());
      std::tie(attention_.width, attention_.height) = SizeOf(decision.frame);
    }
  }
  published_.notify_all();
}

LiveReport LiveState::report() const {
  const std::lock_guard lock(mutex_);
  return report_;
}

LatencyHistogram LiveState::latencies() const {
  const std::lock_guard lock(mutex_);
  return latencies_;
}

AttentionReport LiveState::WaitForAttention() {
  attention_wanted_.Show();
  std::unique_lock lock(mutex_);
  published_.wait_for(lock, std::chrono::seconds(1),
                      [this] { return attention_.frame >= 0 && attention_.frame + 1 == report_.frames; });
  return attention_;
}

}  // namespace vitrine
