// SPDX-License-Identifier: Apache-2.0
#include "converter/error.h"

#include <algorithm>
#include <cmath>

namespace vitrine {

void CheckFinite(const std::string& name, std::span<const float> values) {
  // The sum of v * 0 is zero unless a value is not finite. This loop vectorizes.
  float poison = 0;
  for (const float v : values) poison += v * 0.0f;
  if (poison == 0) return;
  const auto bad = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
  Fail(name, ": value ", bad - values.begin(), " of ", values.size(), " is ", *bad,
       ", expected a finite number");
}

}  // namespace vitrine
