// SPDX-License-Identifier: Apache-2.0
#include "converter/calibrate/row_samples.h"

#include <algorithm>
#include <cstdint>

namespace vitrine {

RowSamples::RowSamples(size_t columns, size_t rows_an_image, size_t images, size_t most)
    : columns_(columns),
      rows_an_image_(rows_an_image),
      all_rows_(rows_an_image * images),
      most_(most),
      ranges_(columns) {
  values_.reserve(columns * std::min(all_rows_, most + most / 4));
}

bool RowSamples::Keeps(size_t row) const {
  if (all_rows_ <= most_) return true;
  // Multiples of the golden ratio are spread evenly whatever the step, and follow no pattern
  // of the image's rows.
  const uint32_t place = static_cast<uint32_t>(row) * 2654435769u;
  return uint64_t{place} * all_rows_ < (uint64_t{most_} << 32);
}

void RowSamples::Add(size_t image, std::span<const float> rows) {
  for (size_t r = 0; r < rows_an_image_; ++r) {
    const std::span<const float> row = rows.subspan(r * columns_, columns_);
    for (size_t c = 0; c < columns_; ++c) {
      ranges_[c].low = std::min(ranges_[c].low, row[c]);
      ranges_[c].high = std::max(ranges_[c].high, row[c]);
    }
    if (Keeps(image * rows_an_image_ + r)) values_.insert(values_.end(), row.begin(), row.end());
  }
}

}  // namespace vitrine
