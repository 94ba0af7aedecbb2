// SPDX-License-Identifier: Apache-2.0
// What the library says of itself and of the processor, and the softmax that turns logits into probabilities.
#include <hwy/targets.h>

#include <cmath>
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

size_t TopProbabilities(std::span<const float> probabilities, std::span<Guess> top) {
  size_t count = 0;
  for (size_t i = 0; i < probabilities.size() && !top.empty(); ++i) {
    const float value = probabilities[i];
    if (count == top.size() && !(value > top[count - 1].probability)) continue;
    size_t at = count < top.size() ? count++ : count - 1;
    for (; at > 0 && value > top[at - 1].probability; --at) top[at] = top[at - 1];
    top[at] = {static_cast<int>(i), value};
  }
  return count;
}

size_t TopClasses(std::span<const float> logits, std::span<Guess> top) {
  const size_t count = TopProbabilities(logits, top);
  if (count == 0) return 0;
  const float largest = top[0].probability;
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double{logit} - largest);
  for (Guess& guess : top.first(count))
    guess.probability = static_cast<float>(std::exp(double{guess.probability} - largest) / sum);
  return count;
}

}  // namespace vitrine
