// SPDX-License-Identifier: Apache-2.0
// What the library says of itself and of the processor, and the softmax that turns logits into probabilities.
#include <hwy/targets.h>

#include <vitrine/vitrine.hpp>

#include "runtime/kernels/softmax_row.h"

namespace vitrine {

const char* Version() { return VITRINE_VERSION; }

const char* InstructionSet() {
  const int64_t targets = hwy::SupportedTargets();
  return hwy::TargetName(targets & -targets);  // Highway numbers the best target lowest
}

void Softmax(std::span<const float> logits, std::span<float> probabilities) {
  if (!logits.empty()) kernels::SoftmaxRow(logits.data(), logits.size(), probabilities.data());
}

}  // namespace vitrine
