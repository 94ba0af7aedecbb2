// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/photos/top_k.h"

#include <algorithm>

#include "platforms/linux/cli/printable.h"

namespace vitrine {

std::vector<Guess> TopK(std::span<const float> logits, int count) {
  std::vector<Guess> top(std::min(logits.size(), static_cast<size_t>(count)));
  TopClasses(logits, top);
  return top;
}

std::string LabelOf(const Model& model, int index) {
  return model.label_count() > 0 ? model.label(index) : "class " + std::to_string(index);
}

std::string PrintableLabelOf(const Model& model, int index) { return Printable(LabelOf(model, index)); }

}  // namespace vitrine
