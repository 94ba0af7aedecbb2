// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/live/live_state.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>

#include "platforms/linux/camera/live/snapshot.h"

namespace vitrine {
namespace {

void Append(std::string* text, const char* format, ...) __attribute__((format(printf, 2, 3)));

void Append(std::string* text, const char* format, ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  *text += line;
}

void AppendMetric(std::string* text, const char* name, const char* type, const char* help, double value) {
  Append(text, "# HELP vitrine_%s %s\n# TYPE vitrine_%s %s\nvitrine_%s %.15g\n", name, help, name, type, name,
         value);
}

void AppendLatencies(std::string* text, const LatencyHistogram& latencies) {
  constexpr const char* kName = "vitrine_latency_seconds";
  Append(text, "# HELP %s Time from a frame to its decision.\n# TYPE %s histogram\n", kName, kName);
  int64_t count = 0;
  for (size_t i = 0; i < latencies.kBoundsMs.size(); ++i) {
    count += latencies.counts[i];
    Append(text, "%s_bucket{le=\"%g\"} %lld\n", kName, latencies.kBoundsMs[i] / 1000,
           static_cast<long long>(count));
  }
  count += latencies.counts.back();
  Append(text, "%s_bucket{le=\"+Inf\"} %lld\n", kName, static_cast<long long>(count));
  Append(text, "%s_sum %.6f\n%s_count %lld\n", kName, latencies.sum_ms / 1000, kName,
         static_cast<long long>(count));
}

}  // namespace

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

const char* CameraState(const LiveStatus& status) {
  if (status.is_lost) return "lost";
  const LiveReport& report = status.report;
  if (report.frames == 0) return "waiting";
  const double silence = std::chrono::duration<double>(FrameClock::now() - report.decided).count();
  return silence > std::max(5.0, report.fps > 0 ? 3 / report.fps : 0) ? "stalled" : "live";
}

std::string FormatLast(const LiveStatus& status, const std::vector<std::string>& labels) {
  const LiveReport& report = status.report;
  auto top = nlohmann::ordered_json::array();
  for (size_t i = 0; i < report.top_count; ++i) {
    const Guess& guess = report.top[i];
    top.push_back({{"index", guess.index},
                   {"label", labels[static_cast<size_t>(guess.index)]},
                   {"probability", guess.probability}});
  }
  nlohmann::ordered_json last = {{"frame", report.frames - 1},
                                 {"time", status.seconds},
                                 {"top", top},
                                 {"latency_ms", report.latency_ms},
                                 {"fps", report.fps},
                                 {"level", report.level},
                                 {"dropped", status.dropped},
                                 {"damaged", status.damaged},
                                 {"temperature_celsius", nullptr},
                                 {"camera", CameraState(status)},
                                 {"heatmap", status.has_attention}};
  if (status.celsius) last["temperature_celsius"] = *status.celsius;
  return last.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string FormatMetrics(const LiveStatus& status, const LatencyHistogram& latencies) {
  std::string text;
  const auto metric = [&](const char* name, const char* type, const char* help, double value) {
    AppendMetric(&text, name, type, help, value);
  };
  metric("frames_total", "counter", "Frames that were classified.",
         static_cast<double>(status.report.frames));
  metric("dropped_total", "counter", "Frames skipped because the model was busy.",
         static_cast<double>(status.dropped));
  metric("damaged_total", "counter", "Frames that could not be used.", static_cast<double>(status.damaged));
  AppendLatencies(&text, latencies);
  metric("frames_per_second", "gauge", "Classified frames per second, averaged over about one second.",
         status.report.fps);
  metric("level", "gauge", "Level of the model; higher levels merge more tokens.", status.report.level);
  const bool is_up = std::string_view(CameraState(status)) == "live";
  metric("camera_up", "gauge", "1 while frames arrive.", is_up ? 1 : 0);
  if (status.celsius) {
    metric("temperature_celsius", "gauge", "Temperature of the hottest thermal zone.", *status.celsius);
  }
  return text;
}

}  // namespace vitrine
