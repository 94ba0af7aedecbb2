// SPDX-License-Identifier: Apache-2.0
// What the kernel reports about this machine: heat, clock, memory, the CPU's name.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace vitrine {

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
