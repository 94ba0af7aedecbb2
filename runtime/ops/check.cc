// SPDX-License-Identifier: Apache-2.0
#include "runtime/ops/check.h"

#include <algorithm>

#include "runtime/base/return_if_error.h"

namespace vitrine {
namespace {

bool Contains(std::initializer_list<schema::Type> types, schema::Type type) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

Status WrongType(const char* role, schema::Type found, std::initializer_list<schema::Type> expected) {
  return Status::Error(Code::kInvalidModel, "%s is %s, expected %s%s", role, TypeName(found),
                       TypeName(*expected.begin()),
                       expected.size() > 1 ? " or another that this operator takes" : "");
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
