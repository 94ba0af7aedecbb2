// SPDX-License-Identifier: Apache-2.0
// From logits to answers: softmax, and the most probable classes.
#include <cmath>
#include <vitrine/vitrine.hpp>

#include "runtime/kernels/row_kernels.h"

namespace vitrine {

void Softmax(std::span<const float> logits, std::span<float> probabilities) {
  if (!logits.empty()) kernels::SoftmaxRow(logits.data(), logits.size(), probabilities.data());
}

namespace {

/// Sets the indices of `top` to the classes with the largest values, the largest first, of equal ones the
/// first class; leaves the probabilities as they are. Returns how many there are.
size_t RankClasses(std::span<const float> values, std::span<Guess> top) {
  const auto value_of = [&](const Guess& guess) { return values[static_cast<size_t>(guess.index)]; };
  size_t count = 0;
  for (size_t i = 0; i < values.size() && !top.empty(); ++i) {
    const float value = values[i];
    if (count == top.size() && !(value > value_of(top[count - 1]))) continue;
    size_t at = count < top.size() ? count++ : count - 1;
    for (; at > 0 && value > value_of(top[at - 1]); --at) top[at].index = top[at - 1].index;
    top[at].index = static_cast<int>(i);
  }
  return count;
}

}  // namespace

size_t TopProbabilities(std::span<const float> probabilities, std::span<Guess> top) {
  const size_t count = RankClasses(probabilities, top);
  for (Guess& guess : top.first(count)) guess.probability = probabilities[static_cast<size_t>(guess.index)];
  return count;
}

size_t TopClasses(std::span<const float> logits, std::span<Guess> top) {
  const size_t count = RankClasses(logits, top);
  if (count == 0) return 0;
  const float largest = logits[static_cast<size_t>(top[0].index)];
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double{logit} - largest);
  for (Guess& guess : top.first(count)) {
    const double logit = logits[static_cast<size_t>(guess.index)];
    guess.probability = static_cast<float>(std::exp(logit - largest) / sum);
  }
  return count;
}

}  // namespace vitrine
