// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/cli/estimate.h"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace vitrine {

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
