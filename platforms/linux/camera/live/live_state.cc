// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/live/live_state.h"

#include <algorithm>

#include "platforms/linux/camera/live/snapshot.h"

namespace vitrine {

LiveState::LiveState(const Session& session) : session_(session) {
  attention_.grid = session.grid();
  attention_.map.reserve(static_cast<size_t>(attention_.grid.height) *
                         static_cast<size_t>(attention_.grid.width));
}

void LiveState::PublishAttention(const Decision& decision) {
  const std::span<const float> map = session_.attention_map();
  const auto [width, height] = SizeOf(decision.frame);
  attention_.frame = decision.number;
  attention_.map.assign(map.begin(), map.end());
  attention_.seen = session_.RegionSeen(width, height);
}

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
    if (!session_.attention_map().empty()) PublishAttention(decision);
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
  attention_wanted_.Show();  // a reader that waited in vain wants the next one
  return attention_;
}

}  // namespace vitrine
