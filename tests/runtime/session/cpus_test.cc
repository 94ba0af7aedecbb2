// SPDX-License-Identifier: Apache-2.0
#include "runtime/session/cpus.h"

#include <unistd.h>

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vitrine/vitrine.hpp>

namespace vitrine {
namespace {

namespace fs = std::filesystem;

/// A folder like /sys/devices/system/cpu, with one number per CPU core.
class Machine {
 public:
  Machine(const char* file, const std::vector<long>& numbers)
      : path_(fs::temp_directory_path() / ("vitrine_cpu_" + std::to_string(getpid()))) {
    for (size_t i = 0; i < numbers.size(); ++i) {
      const fs::path path = path_ / ("cpu" + std::to_string(i)) / file;
      fs::create_directories(path.parent_path());
      std::ofstream(path) << numbers[i] << "\n";
    }
  }
  ~Machine() { fs::remove_all(path_); }
  std::vector<int> Fast(const std::vector<int>& allowed) const { return FastCpus(path_.string(), allowed); }

 private:
  fs::path path_;
};

TEST_CASE("FastCpusHaveMoreThanHalfTheLargestCapacity") {
  // Little, big and prime cores; then two clusters with clock rates only; then a Raspberry Pi.
  CHECK(Machine("cpu_capacity", {325, 325, 325, 325, 828, 828, 828, 1024}).Fast({0, 1, 2, 3, 4, 5, 6, 7}) ==
        std::vector<int>{4, 5, 6, 7});
  CHECK(Machine("cpufreq/cpuinfo_max_freq", {1000000, 1000000, 2200000, 2200000}).Fast({0, 1, 2, 3}) ==
        std::vector<int>{2, 3});
  CHECK(Machine("cpu_capacity", {1024, 1024, 1024, 1024}).Fast({0, 1, 2, 3}) == std::vector<int>{0, 1, 2, 3});
  // Only the allowed CPU cores count. Without known capacities, all of them count as fast.
  CHECK(Machine("cpu_capacity", {325, 325, 1024}).Fast({0, 1}) == std::vector<int>{0, 1});
  CHECK(Machine("something_else", {1, 2}).Fast({0, 1}) == std::vector<int>{0, 1});
}

TEST_CASE("AThreadRunsOnTheChosenCpu") {
  std::thread([] {
    const std::array<int, 1> first = {AllowedCpus().front()}, none = {4000};
    CHECK(UseProcessors(none).code() == Code::kInvalidArgument);
    REQUIRE(UseProcessors(first).ok());
    CHECK(AllowedCpus() == std::vector<int>{first[0]});
    CHECK(UseProcessors().ok());
  }).join();
}

}  // namespace
}  // namespace vitrine
