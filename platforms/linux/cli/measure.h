// SPDX-License-Identifier: Apache-2.0
// What the commands measure: latencies, and what the kernel reports about heat, clock, memory and the CPU. And a cycle model:
// about how long a model takes on another CPU core. Modelled, never measured.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <vitrine/vitrine.hpp>

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

/// What the cycle model needs of a core. Multiply-accumulates per cycle are what its pipes allow in the inner
/// loops (by llvm-mca); `efficiency` is the share of that which XNNPACK's published single-thread figures reach.
struct Core {
  const char* name;
  const char* board;  ///< that has this core
  double gigahertz;   ///< on that board
  double f32_macs, int8_macs;
  double elements;  ///< values per cycle, in passes that are not matrix products
  double efficiency;
};

/// Returns Cortex-A72 and Cortex-A76, in this order.
const std::vector<Core>& Cores();

/// Returns the core that "cortex-a76" or "cortex-a76@2.0" (gigahertz) names.
std::optional<Core> FindCore(std::string_view text);

/// Returns milliseconds of one operator in one thread. The real time may be 30% higher or lower.
double EstimateMilliseconds(const OperatorInfo& op, const Core& core);

}  // namespace vitrine
