// SPDX-License-Identifier: Apache-2.0
// Which processors of a machine with fast and slow ones are the fast ones.
#pragma once

#include <string>
#include <vector>

namespace vitrine {

/// The processors that the calling thread may run on, in order.
std::vector<int> AllowedProcessors();

/// Those of `allowed` that have more than half the capacity of the largest among them, as the kernel tells it
/// under `sysfs` ("/sys/devices/system/cpu"): cpu_capacity, or the highest clock where there is none. All of
/// them where it tells neither.
std::vector<int> FastProcessors(const std::string& sysfs, const std::vector<int>& allowed);

}  // namespace vitrine
