// SPDX-License-Identifier: Apache-2.0
#include "runtime/ops/check.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "runtime/base/status.h"

namespace vitrine {
namespace {

bool Contains(std::initializer_list<schema::Type> types, schema::Type type) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

Status WrongType(const char* role, schema::Type found, std::initializer_list<schema::Type> expected) {
  char wanted[64] = "";
  size_t length = 0;
  for (const schema::Type& type : expected) {
    const char* separator = &type == expected.begin() ? "" : &type + 1 == expected.end() ? " or " : ", ";
    length += static_cast<size_t>(
        std::snprintf(wanted + length, sizeof wanted - length, "%s%s", separator, TypeName(type)));
    if (length >= sizeof wanted) break;
  }
  return Status::Error(Code::kInvalidModel, "%s is %s, expected %s", role, TypeName(found), wanted);
}

Status WrongShape(const char* role, size_t rows, size_t columns, Shape expected) {
  char wanted_rows[24] = "any", wanted_columns[24] = "any";
  if (expected.rows != Shape::kAny) std::snprintf(wanted_rows, sizeof wanted_rows, "%zu", expected.rows);
  if (expected.columns != Shape::kAny)
    std::snprintf(wanted_columns, sizeof wanted_columns, "%zu", expected.columns);
  return Status::Error(Code::kInvalidModel, "%s is %zux%zu, expected %sx%s", role, rows, columns, wanted_rows,
                       wanted_columns);
}

}  // namespace

const char* TypeName(schema::Type type) { return schema::EnumNameType(type); }

Status CheckInput(const Program& program, const char* role, int index,
                  std::initializer_list<schema::Type> types, Shape shape) {
  if (!program.has_tensor(index))
    return Status::Error(Code::kInvalidModel, "%s: tensor %d does not exist", role, index);
  const TensorInfo t = program.tensor(index);
  if (!Contains(types, t.type)) return WrongType(role, t.type, types);
  if ((shape.rows != Shape::kAny && t.rows < shape.rows) ||
      (shape.columns != Shape::kAny && t.columns != shape.columns)) {
    return WrongShape(role, t.rows, t.columns, shape);
  }
  return {};
}

Status CheckOutput(const Program& program, const char* role, int index,
                   std::initializer_list<schema::Type> types, Shape shape) {
  VITRINE_RETURN_IF_ERROR(CheckInput(program, role, index, types, shape));
  const TensorInfo t = program.tensor(index);
  if (shape.rows != Shape::kAny && t.rows != shape.rows) return WrongShape(role, t.rows, t.columns, shape);
  return {};
}

Status CheckSizes(const Program& program, int index, size_t T) {
  if (index == -1) return {};
  return CheckOutput(program, "sizes", index, {schema::Type::F32}, {2, T});
}

Status CheckHeads(size_t heads, size_t head_size) {
  if (heads >= 1 && head_size >= 1 && uint64_t{heads} * head_size <= (1u << 24)) return {};
  return Status::Error(Code::kInvalidModel, "%zu heads of %zu columns, expected 1 to 2^24 columns", heads,
                       head_size);
}

Status CheckColumns(const Program& program, const char* role, int index, size_t rows, size_t column,
                    size_t width) {
  VITRINE_RETURN_IF_ERROR(CheckInput(program, role, index, {schema::Type::F32}, {rows, Shape::kAny}));
  const TensorInfo t = program.tensor(index);
  if (uint64_t{column} + width <= t.columns) return {};
  return Status::Error(Code::kInvalidModel, "%s has %zu columns, expected %zu from column %zu on", role,
                       t.columns, width, column);
}

Status CheckNorm(const Program& program, int gamma, int beta, float epsilon, size_t D) {
  if (gamma != -1)
    VITRINE_RETURN_IF_ERROR(CheckConstant(program, "gamma", gamma, {schema::Type::F32}, {1, D}));
  if (beta != -1) VITRINE_RETURN_IF_ERROR(CheckConstant(program, "beta", beta, {schema::Type::F32}, {1, D}));
  if (epsilon >= 0 && std::isfinite(epsilon)) return {};
  return Status::Error(Code::kInvalidModel, "epsilon is %g, expected a finite number of at least 0",
                       static_cast<double>(epsilon));
}

Status CheckConstant(const Program& program, const char* role, int index,
                     std::initializer_list<schema::Type> types, Shape shape) {
  if (!program.has_constant(index))
    return Status::Error(Code::kInvalidModel, "%s: constant %d does not exist", role, index);
  const ConstantInfo c = program.constant(index);
  if (!Contains(types, c.type)) return WrongType(role, c.type, types);
  if ((shape.rows != Shape::kAny && c.rows != shape.rows) ||
      (shape.columns != Shape::kAny && c.columns != shape.columns)) {
    return WrongShape(role, c.rows, c.columns, shape);
  }
  return {};
}

}  // namespace vitrine
