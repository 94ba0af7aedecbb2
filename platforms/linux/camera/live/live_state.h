// SPDX-License-Identifier: Apache-2.0
// What readers of the live page see of the pipeline, and what they ask of it; as structures, and as text for programs.
//
//     pipeline's thread  Publish ──> report, latencies, attention ──> any thread
//                        WantsAttention <── a reader of the last two seconds
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "platforms/linux/camera/pipeline.h"

namespace vitrine {

/// Remembers whether anybody asked within the last two seconds. Any thread.
class Interest {
 public:
  void Show() { shown_ = FrameClock::now().time_since_epoch().count(); }
  bool IsThere() const {
    const FrameClock::duration shown(shown_);
    return shown.count() != 0 && FrameClock::now().time_since_epoch() - shown < std::chrono::seconds(2);
  }

 private:
  std::atomic<FrameClock::rep> shown_ = 0;
};

/// The last decision.
struct LiveReport {
  static constexpr size_t kTop = 5;

  int64_t frames = 0;           ///< classified since the start; 0: nothing below is set
  FrameClock::time_point time;  ///< when the frame was taken, or else arrived
  FrameClock::time_point decided;
  std::array<Guess, kTop> top{};  ///< most probable first
  size_t top_count = 0;
  double latency_ms = 0, fps = 0;
  int level = 0;
};

/// Latencies since the start, from a frame's time to its decision.
struct LatencyHistogram {
  static constexpr std::array<double, 10> kBoundsMs = {5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000};

  std::array<int64_t, kBoundsMs.size() + 1> counts{};  ///< below each bound, and above the last
  double sum_ms = 0;
};

/// Where the model looked on a frame.
struct AttentionReport {
  int64_t frame = -1;
  Grid grid;               ///< zeros where the model has no map
  std::vector<float> map;  ///< [grid.height, grid.width]
  Region seen;             ///< the part of the frame that the map covers
};

/// The newest results of a session. Call Publish() and WantsAttention() from the pipeline's thread, the rest from any.
/// Locks are held only to copy a few hundred bytes.
class LiveState {
 public:
  /// Reserves memory for the session's attention map. The session must outlive the state.
  explicit LiveState(const Session& session);

  /// Stores the decision, after the session has run on the frame. Does not allocate.
  void Publish(const Decision& decision);
  bool WantsAttention() const { return attention_wanted_.IsThere(); }

  LiveReport report() const;
  LatencyHistogram latencies() const;

  /// Waits up to a second for the newest frame's map. Otherwise returns the one before, or an empty one.
  AttentionReport WaitForAttention();

 private:
  void PublishAttention(const Decision& decision);

  const Session& session_;
  mutable std::mutex mutex_;
  std::condition_variable published_;
  LiveReport report_;
  LatencyHistogram latencies_;
  AttentionReport attention_;
  Interest attention_wanted_;
};

/// The state at one moment.
struct LiveStatus {
  LiveReport report;
  int64_t dropped = 0, damaged = 0;
  std::optional<double> celsius;
  bool is_lost = false;        ///< the camera is unplugged
  bool has_attention = false;  ///< there is a heatmap
  double seconds = 0;          ///< since the start, of the last frame
};

/// Returns "waiting" before the first frame, "lost" while the camera is unplugged, "stalled" when no frame has arrived for
/// five seconds and for three times the usual period, else "live".
const char* CameraState(const LiveStatus& status);

/// Returns the JSON of /api/last; platforms/linux/README.md describes it.
std::string FormatLast(const LiveStatus& status, const std::vector<std::string>& labels);

/// Returns /metrics, in Prometheus' text format 0.0.4.
std::string FormatMetrics(const LiveStatus& status, const LatencyHistogram& latencies);

}  // namespace vitrine
