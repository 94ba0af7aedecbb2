// SPDX-License-Identifier: Apache-2.0
// What the kernel tells of the machine's heat: the hottest thermal zone and the clock.
#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace vitrine {

struct Thermal {
  std::optional<double> celsius;    ///< of the hottest zone under /sys/class/thermal
  std::optional<double> megahertz;  ///< of the slowest processor that tells it
};

/// Nothing where a file is missing.
inline Thermal ReadThermal() {
  const std::filesystem::path sys = "/sys";
  const auto read = [](const std::filesystem::path& path) -> std::optional<double> {
    double number = 0;
    return std::ifstream(path) >> number ? std::optional(number) : std::nullopt;
  };
  Thermal thermal;
  std::error_code missing;
  for (const auto& zone : std::filesystem::directory_iterator(sys / "class/thermal", missing)) {
    const std::optional<double> milli = read(zone.path() / "temp");
    if (milli && (!thermal.celsius || *milli / 1000 > *thermal.celsius)) thermal.celsius = *milli / 1000;
  }
  for (const auto& cpu : std::filesystem::directory_iterator(sys / "devices/system/cpu", missing)) {
    const std::optional<double> kilo = read(cpu.path() / "cpufreq/scaling_cur_freq");
    if (kilo && (!thermal.megahertz || *kilo / 1000 < *thermal.megahertz)) thermal.megahertz = *kilo / 1000;
  }
  return thermal;
}

}  // namespace vitrine
