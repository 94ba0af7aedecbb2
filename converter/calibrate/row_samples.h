// SPDX-License-Identifier: Apache-2.0
// RowSamples: some rows of a tensor, and what is true of all of them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "converter/quantize/matrix.h"
#include "converter/calibrate/observe.h"

namespace vitrine {

/// Takes the tensor's rows image by image and keeps about `most` of all, spread over images and places. The
/// same images give the same rows.
class RowSamples {
 public:
  RowSamples(size_t columns, size_t rows_an_image, size_t images, size_t most);

  /// The rows [rows_an_image, columns] that image `image` gives.
  void Add(size_t image, std::span<const float> rows);

  MatrixView rows() const { return {values_.data(), values_.size() / columns_, columns_, columns_}; }
  /// Of each column, over all rows.
  std::span<const ValueRange> ranges() const { return ranges_; }

 private:
  bool Keeps(size_t row) const;

  size_t columns_, rows_an_image_, all_rows_, most_;
  std::vector<float> values_;
  std::vector<ValueRange> ranges_;
};

}  // namespace vitrine
