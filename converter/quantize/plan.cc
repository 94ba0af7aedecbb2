// SPDX-License-Identifier: Apache-2.0
#include "converter/quantize/plan.h"

#include <array>

#include "converter/error.h"

namespace vitrine {
namespace {

using schema::Type;

constexpr std::array<Recipe, 5> kRecipes = {Recipe::kDynamic, Recipe::kStatic, Recipe::kMixed, Recipe::kInt4,
                                            Recipe::kF32};
constexpr TensorPlan kF32 = {};

const TensorPlan& Find(const std::map<Layer, TensorPlan>& tensors, const Layer& layer,
                       const TensorPlan& otherwise) {
  const auto found = tensors.find(layer);
  return found == tensors.end() ? otherwise : found->second;
}

}  // namespace

const char* Name(Recipe recipe) {
  switch (recipe) {
    case Recipe::kDynamic:
      return "dynamic";
    case Recipe::kStatic:
      return "static";
    case Recipe::kMixed:
      return "mixed";
    case Recipe::kInt4:
      return "int4";
    case Recipe::kF32:
      return "f32";
  }
  return "";
}

Recipe RecipeOf(const std::string& name) {
  std::string names;
  for (const Recipe recipe : kRecipes) {
    if (name == Name(recipe)) return recipe;
    names += (names.empty() ? "" : ", ") + std::string(Name(recipe));
  }
  Fail("recipe '", name, "' is none of ", names);
}

Plan::Plan(Recipe recipe)
    : recipe(recipe),
      rows{recipe == Recipe::kF32 ? Type::F32 : Type::QD8},
      attention(rows.type),
      int4_weights(recipe == Recipe::kInt4) {}

const TensorPlan& Plan::Rows(const Layer& layer) const { return Find(tensors, layer, rows); }
const TensorPlan& Plan::Output(const Layer& layer) const { return Find(tensors, layer, kF32); }

}  // namespace vitrine
