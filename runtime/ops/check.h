// SPDX-License-Identifier: Apache-2.0
// Checks for the makers of operators: a tensor or constant exists and has the expected type and shape.
#pragma once

#include <initializer_list>

#include "runtime/program/program.h"

namespace vitrine {

/// The expected rows and columns; kAny accepts every number.
struct Shape {
  static constexpr size_t kAny = 0;
  size_t rows, columns;
};

/// Fails with kInvalidModel unless tensor `index` exists, has one of `types`, at least `shape.rows` rows and
/// exactly `shape.columns` columns. The message starts with `role`.
Status CheckInput(const Program& program, const char* role, int index,
                  std::initializer_list<schema::Type> types, Shape shape);

/// The same with exactly `shape.rows` rows.
Status CheckOutput(const Program& program, const char* role, int index,
                   std::initializer_list<schema::Type> types, Shape shape);

/// The same for a constant. Program::CheckConstant() checks its contents when the operator is created.
Status CheckConstant(const Program& program, const char* role, int index,
                     std::initializer_list<schema::Type> types, Shape shape);

/// Fails unless `index` is -1 or a tensor with the sizes of T tokens: F32 [2, T].
Status CheckSizes(const Program& program, int index, size_t T);

/// Fails unless an attention has at least one head of at least one column, and at most 2^24 columns together.
Status CheckHeads(size_t heads, size_t head_size);

/// Fails unless tensor `index` is F32 with at least `rows` rows and the columns [column, column + width).
Status CheckColumns(const Program& program, const char* role, int index, size_t rows, size_t column,
                    size_t width);

/// Fails unless gamma and beta are -1 or F32 constants [1, D], and epsilon is finite and at least 0.
Status CheckNorm(const Program& program, int gamma, int beta, float epsilon, size_t D);

/// Returns "F32", "QD8", ...
const char* TypeName(schema::Type type);

}  // namespace vitrine
