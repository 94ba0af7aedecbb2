// SPDX-License-Identifier: Apache-2.0
// A model's levels as a governor: faster ones while frames come late or the processor is hot.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace vitrine {

/// Looks at a stretch of three seconds at a time. One level down when more than a tenth of the frames came
/// late in three stretches running, or the processor is at 80 degrees; one up when it was busy for less than
/// half of the time in four stretches running, and is below 70 degrees. A level that had to be left within 30
/// s of going up to it waits twice as long the next time.
class LevelControl {
 public:
  using Clock = std::chrono::steady_clock;
  using Thermometer = std::optional<double> (*)();  ///< degrees Celsius, where somebody knows

  LevelControl(int level_count, Thermometer thermometer)
      : level_count_(level_count), thermometer_(thermometer) {}

  /// Called after each frame that was looked at on `level`: what that took, and how many were dropped since
  /// the start. Returns the level for the next; why() says why it is another.
  int After(int level, Clock::time_point now, Clock::duration took, int64_t dropped);
  const char* why() const { return why_; }

 private:
  static constexpr auto kStretch = std::chrono::seconds(3);
  static constexpr int kLateStretches = 3, kIdleStretches = 4, kMostIdleStretches = 256;

  int Judge(int level, Clock::time_point now, double busy, double late);
  int Change(int level, const char* why);

  int level_count_;
  Thermometer thermometer_;
  Clock::time_point begin_ = {}, raised_ = {};
  Clock::duration busy_ = {};
  int64_t frames_ = 0, dropped_ = 0;
  const char* why_ = "";
  int late_stretches_ = 0, idle_stretches_ = 0, wanted_idle_ = kIdleStretches;
};

}  // namespace vitrine
