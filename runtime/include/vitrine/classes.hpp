// SPDX-License-Identifier: Apache-2.0
// From logits to answers: softmax, and the most probable classes.
#pragma once

#include <vitrine/export.h>

#include <cstddef>
#include <span>
#include <vitrine/status.hpp>  // checks for C++20

namespace vitrine {

/// Sets `probabilities` to the softmax of `logits`. Both must have the same size and may be the same memory.
/// Does not allocate. Thread-safe.
VITRINE_API void Softmax(std::span<const float> logits, std::span<float> probabilities);

/// A class and its probability.
struct Guess {
  int index;          ///< of the class
  float probability;  ///< from 0 to 1
};

/// Sets `top` to the most probable classes, the most probable first; of equal ones, the class with the lower
/// index comes first. Returns how many entries it set: fewer than top.size() when there are fewer classes.
/// Does not allocate. Thread-safe.
VITRINE_API size_t TopClasses(std::span<const float> logits, std::span<Guess> top);

/// Sets `top` like TopClasses(), from probabilities instead of logits. It takes them as they are: they need
/// not sum to 1.
VITRINE_API size_t TopProbabilities(std::span<const float> probabilities, std::span<Guess> top);

}  // namespace vitrine
