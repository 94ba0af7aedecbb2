// SPDX-License-Identifier: Apache-2.0
#include "runtime/arena/plan.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <vector>

namespace vitrine {
namespace {

struct Case {
  const char* name;
  std::vector<BufferRequest> requests;  // bytes, first, last
  std::vector<size_t> offsets;
  size_t arena_bytes;
};

const Case kCases[] = {
    {"nothing needs nothing", {}, {}, 0},
    {"one buffer lies at the start", {{100, 0, 3}}, {0}, 128},
    {"buffers that live together lie side by side", {{128, 0, 1}, {64, 1, 2}}, {0, 128}, 192},
    {"buffers that never meet share memory", {{128, 0, 1}, {64, 2, 3}}, {0, 0}, 128},
    {"the same step is together", {{64, 0, 1}, {64, 1, 1}}, {0, 64}, 128},
    {"sizes are rounded to cache lines", {{1, 0, 0}, {1, 0, 0}}, {0, 64}, 128},
    {"a buffer of no bytes takes no room", {{0, 0, 5}, {64, 0, 5}}, {0, 0}, 64},
    {"equal sizes keep their order", {{64, 0, 0}, {64, 0, 0}, {64, 0, 0}}, {0, 64, 128}, 192},
};

TEST_CASE("PlansKnownCases") {
  for (const Case& c : kCases) {
    INFO(c.name);
    std::vector<size_t> offsets(c.requests.size());
    CHECK(PlanBuffers(c.requests, offsets) == c.arena_bytes);
    CHECK(offsets == c.offsets);
  }
}

TEST_CASE("PrefersTheSmallestGapThatFits") {
  // At step 2 only the walls (640, 448 and 384 bytes) are live. The gaps between them have 576 and 512 bytes.
  const std::vector<BufferRequest> requests = {{640, 0, 2}, {576, 0, 1}, {512, 0, 1},
                                               {448, 0, 2}, {384, 0, 2}, {128, 2, 2}};
  std::vector<size_t> offsets(requests.size());
  PlanBuffers(requests, offsets);
  REQUIRE(offsets[1] == 640);
  REQUIRE(offsets[2] == 640 + 576);
  REQUIRE(offsets[3] == 640 + 576 + 512);
  CHECK(offsets[5] == 640);  // both gaps have become one of 1088 bytes, between the first wall and the second
}

TEST_CASE("NoTwoLiveBuffersOverlapInRandomPlans") {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<BufferRequest> requests(1 + random() % 60);
    for (BufferRequest& r : requests) {
      r.bytes = random() % 4096;
      r.first = static_cast<int>(random() % 40);
      r.last = r.first + static_cast<int>(random() % 10);
    }
    std::vector<size_t> offsets(requests.size());
    const size_t arena = PlanBuffers(requests, offsets);
    for (size_t a = 0; a < requests.size(); ++a) {
      CHECK(offsets[a] % 64 == 0);
      CHECK(offsets[a] + requests[a].bytes <= arena);
      for (size_t b = 0; b < a; ++b) {
        const bool together = requests[a].first <= requests[b].last && requests[b].first <= requests[a].last;
        const bool apart =
            offsets[a] + requests[a].bytes <= offsets[b] || offsets[b] + requests[b].bytes <= offsets[a];
        if (together && requests[a].bytes > 0 && requests[b].bytes > 0) REQUIRE(apart);
      }
    }
  }
}

TEST_CASE("TheSameRequestsGiveTheSamePlan") {
  std::mt19937 random(11);
  std::vector<BufferRequest> requests(50);
  for (BufferRequest& r : requests) r = {random() % 1000, static_cast<int>(random() % 9), 9};
  std::vector<size_t> first(requests.size()), second(requests.size());
  PlanBuffers(requests, first);
  PlanBuffers(requests, second);
  CHECK(first == second);
}

}  // namespace
}  // namespace vitrine
