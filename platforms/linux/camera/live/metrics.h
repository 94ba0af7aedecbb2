// SPDX-License-Identifier: Apache-2.0
// What goes on as text for programs: a JSON object, and Prometheus' format.
#pragma once

#include <optional>
#include <string>

#include "platforms/linux/camera/live/live_state.h"

namespace vitrine {

/// What a server tells at one moment.
struct LiveStatus {
  LiveReport report;
  int64_t dropped = 0, damaged = 0;
  std::optional<double> celsius;
  bool is_lost = false;        ///< the camera is gone
  bool has_attention = false;  ///< there is a heatmap
  double seconds = 0;          ///< since the start, of the last frame
};

/// "waiting" before the first frame, "lost" while the camera is gone, "stalled" when nothing has come for
/// five seconds and three times as long as a frame takes, else "live".
const char* CameraState(const LiveStatus& status);

/// What /api/last says, as docs in platforms/README.md have it.
std::string FormatLast(const LiveStatus& status, const std::vector<std::string>& labels);

/// What /metrics says, in Prometheus' text format 0.0.4.
std::string FormatMetrics(const LiveStatus& status, const LatencyHistogram& latencies);

}  // namespace vitrine
