// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/level_control.h"

#include <algorithm>

#include "platforms/linux/camera/source.h"

namespace vitrine {
namespace {

constexpr double kLate = 0.1, kIdle = 0.5;  // of the frames, of the time
constexpr double kHotCelsius = 80, kCoolCelsius = 70;
constexpr auto kSoon = std::chrono::seconds(30);

}  // namespace

void LevelControl::After(Session* session, Clock::time_point now, Clock::duration took, int64_t dropped) {
  if (level_count_ < 2) return;
  if (begin_ == Clock::time_point()) {
    begin_ = now - took;
    dropped_ = dropped;
  }
  busy_ += took;
  ++frames_;
  const auto length = now - begin_;
  if (length < kStretch) return;
  const auto seconds = [](Clock::duration duration) {
    return std::chrono::duration<double>(duration).count();
  };
  const double late = static_cast<double>(dropped - dropped_);
  Judge(session, now, seconds(busy_) / seconds(length), late / (late + static_cast<double>(frames_)));
  begin_ = now;
  busy_ = {};
  frames_ = 0;
  dropped_ = dropped;
}

void LevelControl::Judge(Session* session, Clock::time_point now, double busy, double late) {
  const int level = session->level();
  const std::optional<double> celsius = thermometer_();
  late_stretches_ = late > kLate ? late_stretches_ + 1 : 0;
  idle_stretches_ = busy < kIdle && late <= kLate ? idle_stretches_ + 1 : 0;
  const bool is_hot = celsius && *celsius >= kHotCelsius;
  if (is_hot || late_stretches_ >= kLateStretches) {
    if (level + 1 >= level_count_) return;
    const bool was_raised = raised_ != Clock::time_point();
    wanted_idle_ =
        was_raised && now - raised_ < kSoon ? std::min(2 * wanted_idle_, kMostIdleStretches) : kIdleStretches;
    Change(session, level + 1, is_hot ? "the processor is hot" : "frames come late");
  } else if (idle_stretches_ >= wanted_idle_ && level > 0 && (!celsius || *celsius < kCoolCelsius)) {
    raised_ = now;
    Change(session, level - 1, "there is time to spare");
  }
}

void LevelControl::Change(Session* session, int level, const char* why) {
  const int before = session->level();
  if (!session->SetLevel(level).ok()) return;
  late_stretches_ = idle_stretches_ = 0;
  Notice("level %d instead of %d: %s", level, before, why);
}

}  // namespace vitrine
