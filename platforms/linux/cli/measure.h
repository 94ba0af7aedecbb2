// SPDX-License-Identifier: Apache-2.0
// What the commands measure: latencies, and what the kernel reports about heat, clock, memory and the CPU.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace vitrine {

class Latencies {
 public:
  void Add(double milliseconds);

  size_t count() const { return milliseconds_.size(); }
  /// Returns the smallest latency that at least `percent` of the inferences did not exceed; 0 where there is none.
  /// percent 0 is the minimum.
  double Percentile(double percent) const;

  /// {"min", "p50", "p90", "p99"} in milliseconds.
  nlohmann::ordered_json AsJson() const;
  /// "min 1.00 ms, p50 1.10, p90 1.20, p99 1.30"
  std::string AsText() const;

 private:
  mutable std::vector<double> milliseconds_;  // sorted when they are first asked for
  mutable bool is_sorted_ = true;
};

struct Thermal {
  std::optional<double> celsius;    ///< hottest zone under /sys/class/thermal
  std::optional<double> megahertz;  ///< slowest CPU core that reports its clock
};

/// Returns the current values; those that the kernel does not report are absent.
Thermal ReadThermal();

/// Returns the size in bytes of a line of /proc/self/status: "VmHWM:" is the peak of resident memory, "VmRSS:" the
/// resident memory now. Returns the peak where the line is missing.
size_t ResidentBytes(const char* line);

/// Returns the CPU's name as the kernel reports it and the kernels in use: "Cortex-A76, NEON_BF16".
std::string CpuName();

}  // namespace vitrine
