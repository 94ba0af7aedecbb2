// SPDX-License-Identifier: Apache-2.0
// Chooses a model's level: faster levels while frames come late or the CPU is hot.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace vitrine {

/// Judges periods of three seconds. Goes to the next faster level when more than a tenth of the frames were skipped in
/// three periods in a row, or when the CPU reaches 80 degrees Celsius. Goes back one level when the CPU was busy for less
/// than half of the time in four periods in a row and is below 70 degrees. If the slower level fails within 30 s, the next
/// attempt waits twice as long.
class LevelControl {
 public:
  using Clock = std::chrono::steady_clock;
  using Thermometer = std::optional<double> (*)();  ///< degrees Celsius, if the system reports them

  LevelControl(int level_count, Thermometer thermometer)
      : level_count_(level_count), thermometer_(thermometer) {}

  /// Takes the time that a frame took at `level` and how many frames were dropped since the start. Returns the level for
  /// the next frame; why() gives the reason for a change.
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
