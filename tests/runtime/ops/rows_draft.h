// SPDX-License-Identifier: Apache-2.0
// A model of one operator on F32 rows, and a check of its output.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <initializer_list>
#include <span>

#include "tests/support/run.h"

namespace vitrine::testing {

/// Checks that the values equal the expected ones within `margin`.
inline void CheckValues(std::span<const float> found, std::initializer_list<double> expected, double margin = 1e-5) {
  REQUIRE(found.size() == expected.size());
  const double* e = expected.begin();
  for (const float value : found) CHECK_THAT(double{value}, Catch::Matchers::WithinAbs(*e++, margin));
}

/// A draft with F32 rows as its input.
struct RowsDraft : Draft {
  RowsDraft(size_t rows, size_t columns) {
    input = builder.model.input = builder.AddTensor("in", schema::Type::F32, rows, columns);
  }
  int Output(schema::Type type, size_t rows, size_t columns) {
    return builder.model.embedding = builder.AddTensor("out", type, rows, columns);
  }
  int input;
};

}  // namespace vitrine::testing
