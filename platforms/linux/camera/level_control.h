// SPDX-License-Identifier: Apache-2.0
// A model's levels as a governor: faster ones while frames come late or the processor is hot.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vitrine/vitrine.hpp>

namespace vitrine {

/// Looks at a stretch of three seconds at a time. One level down when more than a tenth of the frames came
/// late in two stretches running, or the processor is at 80 degrees; one up when it was busy for less than
/// half of the time in four stretches running, and is below 70 degrees. A level that had to be left within 30
/// s of going up to it waits twice as long the next time.
class LevelControl {
 public:
  using Clock = std::chrono::steady_clock;
  using Thermometer = std::optional<double> (*)();  ///< degrees Celsius, where somebody knows

  LevelControl(int level_count, Thermometer thermometer)
      : level_count_(level_count), thermometer_(thermometer) {}

  /// Called after each frame: what inference took, and how many were dropped since the start. May set another
  /// level, and says so.
  void After(Session* session, Clock::time_point now, Clock::duration took, int64_t dropped);

 private:
  static constexpr auto kStretch = std::chrono::seconds(3);
  static constexpr int kLateStretches = 2, kIdleStretches = 4, kMostIdleStretches = 256;

  void Judge(Session* session, Clock::time_point now, double busy, double late);
  void Change(Session* session, int level, const char* why);

  int level_count_;
  Thermometer thermometer_;
  Clock::time_point begin_ = {}, raised_ = {};
  Clock::duration busy_ = {};
  int64_t frames_ = 0, dropped_ = 0;
  int late_stretches_ = 0, idle_stretches_ = 0, wanted_idle_ = kIdleStretches;
};

}  // namespace vitrine
