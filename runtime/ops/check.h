// SPDX-License-Identifier: Apache-2.0
// What the operators' makers check: that a tensor or constant exists and has the type and shape they need.
#pragma once

#include <initializer_list>

#include "runtime/program/program.h"

namespace vitrine {

/// Rows and columns that are expected; kAny accepts all.
struct Shape {
  static constexpr size_t kAny = 0;
  size_t rows, columns;
};

/// Fails unless tensor `index` exists, has one of `types`, at least `shape.rows` rows and exactly
/// `shape.columns` columns.
Status CheckInput(const Program& program, const char* role, int index,
                  std::initializer_list<schema::Type> types, Shape shape);

/// The same with exactly `shape.rows` rows.
Status CheckOutput(const Program& program, const char* role, int index,
                   std::initializer_list<schema::Type> types, Shape shape);

/// The same for a constant. Its contents are checked by Program::CheckConstant when the operator is created.
Status CheckConstant(const Program& program, const char* role, int index,
                     std::initializer_list<schema::Type> types, Shape shape);

/// Fails unless `index` is -1 or the sizes of T tokens: F32 [2, T].
Status CheckSizes(const Program& program, int index, size_t T);

/// "F32", "QD8", ...
const char* TypeName(schema::Type type);

}  // namespace vitrine
