// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/level_control.h"

#include <algorithm>

namespace vitrine {
namespace {

constexpr double kLate = 0.1, kIdle = 0.5;  // of the frames, of the time
constexpr double kHotCelsius = 80, kCoolCelsius = 70;
constexpr auto kSoon = std::chrono::seconds(30);

}  // namespace

int LevelControl::After(int level, Clock::time_point now, Clock::duration took, int64_t dropped) {
  if (level_count_ < 2) return level;
  if (begin_ == Clock::time_point()) {
    begin_ = now - took;
    dropped_ = dropped;
  }
  busy_ += took;
  ++frames_;
  const auto length = now - begin_;
  if (length < kStretch) return level;
  const auto seconds = [](Clock::duration duration) {
    return std::chrono::duration<double>(duration).count();
  };
  const double late = static_cast<double>(dropped - dropped_);
  const int wanted =
      Judge(level, now, seconds(busy_) / seconds(length), late / (late + static_cast<double>(frames_)));
  begin_ = now;
  busy_ = {};
  frames_ = 0;
  dropped_ = dropped;
  return wanted;
}

int LevelControl::Judge(int level, Clock::time_point now, double busy, double late) {
  const std::optional<double> celsius = thermometer_();
  late_stretches_ = late > kLate ? late_stretches_ + 1 : 0;
  idle_stretches_ = busy < kIdle && late <= kLate ? idle_stretches_ + 1 : 0;
  const bool is_hot = celsius && *celsius >= kHotCelsius;
  if (is_hot || late_stretches_ >= kLateStretches) {
    if (level + 1 >= level_count_) return level;
    const bool was_raised = raised_ != Clock::time_point();
    wanted_idle_ =
        was_raised && now - raised_ < kSoon ? std::min(2 * wanted_idle_, kMostIdleStretches) : kIdleStretches;
    return Change(level + 1, is_hot ? "the CPU is hot" : "the model is too slow for the frames");
  }
  if (idle_stretches_ >= wanted_idle_ && level > 0 && (!celsius || *celsius < kCoolCelsius)) {
    raised_ = now;
    return Change(level - 1, "there is time for a slower level");
  }
  return level;
}

int LevelControl::Change(int level, const char* why) {
  late_stretches_ = idle_stretches_ = 0;
  why_ = why;
  return level;
}

}  // namespace vitrine
