// SPDX-License-Identifier: Apache-2.0
// The state of the camera as text for programs: JSON and Prometheus' format.
#pragma once

#include <optional>
#include <string>

#include "platforms/linux/camera/live/live_state.h"

namespace vitrine {

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
