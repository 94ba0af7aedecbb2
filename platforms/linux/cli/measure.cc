// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/cli/measure.h"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <vitrine/vitrine.hpp>

namespace vitrine {
namespace {

std::optional<double> ReadNumber(const std::filesystem::path& path) {
  double number = 0;
  return std::ifstream(path) >> number ? std::optional(number) : std::nullopt;
}

}  // namespace

void Latencies::Add(double milliseconds) {
  milliseconds_.push_back(milliseconds);
  is_sorted_ = false;
}

double Latencies::Percentile(double percent) const {
  if (milliseconds_.empty()) return 0;
  if (!is_sorted_) std::sort(milliseconds_.begin(), milliseconds_.end());
  is_sorted_ = true;
  const double rank = std::ceil(percent / 100 * static_cast<double>(milliseconds_.size()));
  return milliseconds_[static_cast<size_t>(std::max(1.0, rank)) - 1];
}

nlohmann::ordered_json Latencies::AsJson() const {
  return {{"min", Percentile(0)}, {"p50", Percentile(50)}, {"p90", Percentile(90)}, {"p99", Percentile(99)}};
}

std::string Latencies::AsText() const {
  char text[120];
  std::snprintf(text, sizeof text, "min %.2f ms, p50 %.2f, p90 %.2f, p99 %.2f", Percentile(0), Percentile(50),
                Percentile(90), Percentile(99));
  return text;
}

Thermal ReadThermal() {
  const std::filesystem::path sys = "/sys";
  Thermal thermal;
  std::error_code missing;
  for (const auto& zone : std::filesystem::directory_iterator(sys / "class/thermal", missing)) {
    const std::optional<double> milli = ReadNumber(zone.path() / "temp");
    if (milli && (!thermal.celsius || *milli / 1000 > *thermal.celsius)) thermal.celsius = *milli / 1000;
  }
  for (const auto& cpu : std::filesystem::directory_iterator(sys / "devices/system/cpu", missing)) {
    const std::optional<double> kilo = ReadNumber(cpu.path() / "cpufreq/scaling_cur_freq");
    if (kilo && (!thermal.megahertz || *kilo / 1000 < *thermal.megahertz)) thermal.megahertz = *kilo / 1000;
  }
  return thermal;
}

size_t ResidentBytes(const char* line) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (size_t kilobytes = 0; word == line && status >> kilobytes) return kilobytes * 1024;
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<size_t>(usage.ru_maxrss) * 1024;
}

std::string CpuName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    for (const char* key : {"model name", "Hardware", "Model"}) {
      const size_t colon = line.find(": ");
      if (line.starts_with(key) && colon != std::string::npos)
        return line.substr(colon + 2) + ", " + InstructionSet();
    }
  }
  return InstructionSet();
}

}  // namespace vitrine
