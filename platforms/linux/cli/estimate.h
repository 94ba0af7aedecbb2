// SPDX-License-Identifier: Apache-2.0
// A cycle model: about how long a model takes on another CPU core. Modelled, never measured.
#pragma once

#include <optional>
#include <string_view>
#include <vector>
#include <vitrine/vitrine.hpp>

namespace vitrine {

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
