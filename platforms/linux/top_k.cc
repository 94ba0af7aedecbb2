// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/top_k.h"

#include <algorithm>
#include <numeric>

namespace vitrine {

std::vector<Guess> TopK(std::span<const float> logits, int count) {
  std::vector<float> probabilities(logits.size());
  Softmax(logits, probabilities);
  std::vector<int> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const size_t k = std::min(order.size(), static_cast<size_t>(count));
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(), [&](int a, int b) {
        const float pa = probabilities[static_cast<size_t>(a)], pb = probabilities[static_cast<size_t>(b)];
        return pa != pb ? pa > pb : a < b;
      });
  std::vector<Guess> guesses;
  for (size_t i = 0; i < k; ++i) guesses.push_back({order[i], probabilities[static_cast<size_t>(order[i])]});
  return guesses;
}

std::string LabelOf(const Model& model, int index) {
  return model.label_count() > 0 ? model.label(index) : "class " + std::to_string(index);
}

}  // namespace vitrine
