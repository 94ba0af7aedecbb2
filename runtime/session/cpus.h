// SPDX-License-Identifier: Apache-2.0
// The CPU cores of this machine: which ones the process may use, and which ones are fast.
#pragma once

#include <string>
#include <vector>

namespace vitrine {

/// Returns the CPU cores that the calling thread may run on, in ascending order; at least one.
std::vector<int> AllowedCpus();

/// Returns the members of `allowed` that have more than half the capacity of the largest one. The capacity
/// comes from `sysfs` ("/sys/devices/system/cpu"): cpu_capacity, or the highest clock where that file is
/// missing. Returns all of `allowed` where both are missing.
std::vector<int> FastCpus(const std::string& sysfs, const std::vector<int>& allowed);

}  // namespace vitrine
