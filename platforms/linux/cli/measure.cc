// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/cli/measure.h"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
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

const std::vector<Core>& Cores() {
  // A72: one pipe multiplies integers (8 products of 8 bits a cycle), two multiply floats of 64 bits each.
  // A76: two pipes of 128 bits, which do dot products of 16 bytes.
  static const std::vector<Core> kCores = {
      {"cortex-a72", "Raspberry Pi 4", 1.8, 4, 8, 0.35, 0.7},
      {"cortex-a76", "Raspberry Pi 5", 2.4, 8, 32, 0.7, 0.7},
  };
  return kCores;
}

std::optional<Core> FindCore(std::string_view text) {
  const std::string name(text.substr(0, text.find('@')));
  for (Core core : Cores()) {
    if (name != core.name) continue;
    if (name.size() == text.size()) return core;
    const std::string number(text.substr(name.size() + 1));
    char* end = nullptr;
    core.gigahertz = std::strtod(number.c_str(), &end);
    if (!number.empty() && *end == '\0' && core.gigahertz > 0.1 && core.gigahertz < 10) return core;
  }
  return std::nullopt;
}

double EstimateMilliseconds(const OperatorInfo& op, const Core& core) {
  const std::string_view type = op.type, kind = op.kind;
  const bool int8 = type.starts_with("qd8") || type.starts_with("qs8") || type == "int8";
  const double products =
      static_cast<double>(op.macs) / (int8 ? core.int8_macs : core.f32_macs) / core.efficiency;
  double elements = static_cast<double>(op.rows * op.columns);
  if (kind == "Linear") elements = 0;  // written by the product itself
  // Softmax touches a score for each pair of tokens, whose products are a head's size twice; nearly all
  // models have heads of 64.
  if (kind == "Attention") elements += static_cast<double>(op.macs) / (2 * 64);
  return (products + elements / core.elements) / (core.gigahertz * 1e6);
}

}  // namespace vitrine
