// SPDX-License-Identifier: Apache-2.0
// A cycle model: about how long a model takes on a processor that is not at hand. Modelled, never measured.
#pragma once

#include <optional>
#include <string_view>
#include <vector>
#include <vitrine/vitrine.hpp>

namespace vitrine {

/// What the model knows of a processor. Multiply-accumulates a cycle are what its pipes allow in the inner
/// loops that are used there (llvm-mca); `efficiency` is the share of that which XNNPACK's published
/// single-thread figures reach.
struct Core {
  const char* name;
  const char* board;  ///< where people meet it
  double gigahertz;   ///< there
  double f32_macs, int8_macs;
  double elements;  ///< values a cycle, in passes that are no matrix product
  double efficiency;
};

/// Cortex-A72 and Cortex-A76, in this order.
const std::vector<Core>& Cores();

/// The core that "cortex-a76" or "cortex-a76@2.0" (gigahertz) names.
std::optional<Core> FindCore(std::string_view text);

/// Milliseconds of one operator in one thread. 30 % either way is to be expected.
double EstimateMilliseconds(const OperatorInfo& op, const Core& core);

}  // namespace vitrine
