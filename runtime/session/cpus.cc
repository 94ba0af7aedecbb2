// SPDX-License-Identifier: Apache-2.0
#include "runtime/session/cpus.h"

#include <hwy/targets.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <span>
#include <string>
#include <vitrine/vitrine.hpp>

namespace vitrine {
namespace {

/// Returns the number in a file, or 0 where the file is missing.
long ReadNumber(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return 0;
  long number = 0;
  if (std::fscanf(file, "%ld", &number) != 1) number = 0;
  std::fclose(file);
  return number;
}

std::vector<long> Capacities(const std::string& sysfs, const std::vector<int>& cpus, const char* file) {
  std::vector<long> capacities;
  for (const int cpu : cpus) {
    capacities.push_back(ReadNumber(sysfs + "/cpu" + std::to_string(cpu) + "/" + file));
  }
  return capacities;
}

}  // namespace

std::vector<int> AllowedCpus() {
  std::vector<int> allowed;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int i = 0; i < CPU_SETSIZE; ++i) {
      if (CPU_ISSET(i, &set)) allowed.push_back(i);
    }
  }
  if (allowed.empty()) allowed.push_back(0);
  return allowed;
}

std::vector<int> FastCpus(const std::string& sysfs, const std::vector<int>& allowed) {
  for (const char* file : {"cpu_capacity", "cpufreq/cpuinfo_max_freq"}) {
    const std::vector<long> capacities = Capacities(sysfs, allowed, file);
    if (std::find(capacities.begin(), capacities.end(), 0) != capacities.end()) continue;
    const long largest = *std::max_element(capacities.begin(), capacities.end());
    std::vector<int> fast;
    for (size_t i = 0; i < allowed.size(); ++i) {
      if (2 * capacities[i] > largest) fast.push_back(allowed[i]);
    }
    return fast;
  }
  return allowed;
}

const char* InstructionSet() {
  const int64_t targets = hwy::SupportedTargets();
  return hwy::TargetName(targets & -targets);  // Highway numbers the best target lowest
}

Status UseProcessors(std::span<const int> processors) {
  const std::vector<int> allowed = AllowedCpus();
  const std::vector<int> chosen = processors.empty() ? FastCpus("/sys/devices/system/cpu", allowed)
                                                     : std::vector<int>(processors.begin(), processors.end());
  if (chosen == allowed) return {};
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : chosen) {
    if (cpu < 0 || cpu >= CPU_SETSIZE)
      return Status::Error(Code::kInvalidArgument, "there is no CPU core %d", cpu);
    CPU_SET(cpu, &set);
  }
  if (sched_setaffinity(0, sizeof set, &set) == 0) return {};
  std::string list;
  for (const int cpu : allowed) list += (list.empty() ? "" : ",") + std::to_string(cpu);
  return Status::Error(Code::kInvalidArgument, "this process may only use the CPU cores %s", list.c_str());
}

}  // namespace vitrine
