// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/camera/level_control.h"

#include <catch2/catch_test_macros.hpp>

namespace vitrine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::optional<double> degrees;

/// A camera of ten frames a second, and a model that needs `busy` of the time at the current level.
struct Machine {
  /// Runs for `length`; drops `late` frames for every frame that is classified.
  void Run(seconds length, double busy, int late) {
    const auto step = milliseconds(100 * (1 + late));
    for (const auto end = now + length; now < end; now += step) {
      dropped += late;
      level = control.After(level, now,
                            std::chrono::duration_cast<LevelControl::Clock::duration>(step * busy), dropped);
    }
  }

  LevelControl control{3, [] { return degrees; }};
  LevelControl::Clock::time_point now = LevelControl::Clock::time_point(seconds(100));
  int level = 0;
  int64_t dropped = 0;
};

TEST_CASE("A model gets faster while frames come late, and slower again when there is time") {
  degrees = {};
  Machine machine;
  machine.Run(seconds(60), 0.8, 0);
  CHECK(machine.level == 0);
  machine.Run(seconds(11), 1, 1);
  CHECK(machine.level == 1);
  machine.Run(seconds(60), 1, 1);
  CHECK(machine.level == 2);  // the last
  machine.Run(seconds(60), 0.8, 0);
  CHECK(machine.level == 2);  // the model is neither late nor idle
  machine.Run(seconds(16), 0.3, 0);
  CHECK(machine.level == 1);
  machine.Run(seconds(60), 0.3, 0);
  CHECK(machine.level == 0);
}

TEST_CASE("One stretch of late frames changes nothing") {
  degrees = {};
  Machine machine;
  for (int i = 0; i < 10; ++i) {
    machine.Run(seconds(2), 1, 1);
    machine.Run(seconds(8), 0.8, 0);
  }
  CHECK(machine.level == 0);
}

TEST_CASE("A level that had to be left at once is not tried again as soon") {
  degrees = {};
  Machine machine;
  machine.Run(seconds(11), 1, 1);
  int changes = 0;
  for (int i = 0; i < 600; ++i) {
    const int before = machine.level;
    machine.level == 0 ? machine.Run(seconds(1), 1, 1) : machine.Run(seconds(1), 0.4, 0);
    changes += machine.level != before;
  }
  CHECK(changes >= 4);
  CHECK(changes <= 16);  // 60 without the doubling
}

TEST_CASE("A hot processor gets less to do until it is cool") {
  Machine machine;
  degrees = 85;
  machine.Run(seconds(4), 0.3, 0);
  CHECK(machine.level == 1);
  degrees = 75;
  machine.Run(seconds(60), 0.3, 0);
  CHECK(machine.level == 1);
  degrees = 60;
  machine.Run(seconds(30), 0.3, 0);
  CHECK(machine.level == 0);
}

}  // namespace
}  // namespace vitrine
