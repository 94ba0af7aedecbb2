// SPDX-License-Identifier: Apache-2.0
#include "converter/quantize/plan.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "converter/error.h"

namespace vitrine {
namespace {

using Catch::Matchers::ContainsSubstring;
using schema::Type;

TEST_CASE("Every recipe is found by its name") {
  for (const Recipe recipe : {Recipe::kDynamic, Recipe::kStatic, Recipe::kMixed, Recipe::kInt4, Recipe::kF32})
    CHECK(RecipeOf(Name(recipe)) == recipe);
}

TEST_CASE("An unknown recipe is refused with the valid names") {
  CHECK_THROWS_WITH(RecipeOf("int2"),
                    ContainsSubstring("int2") && ContainsSubstring("dynamic, static, mixed, int4, f32"));
}

TEST_CASE("Tensors that the plan does not name have the recipe's type") {
  CHECK(Plan(Recipe::kDynamic).Rows({1, Kind::kNorm1}).type == Type::QD8);
  CHECK(Plan(Recipe::kF32).Rows({1, Kind::kNorm1}).type == Type::F32);
  CHECK(Plan(Recipe::kDynamic).Output({1, Kind::kFc1}).type == Type::F32);
  CHECK(Plan(Recipe::kInt4).int4_weights);
}

TEST_CASE("A tensor of the plan is that of one block only") {
  Plan plan(Recipe::kStatic);
  plan.tensors[{1, Kind::kNorm1}] = {Type::QS8, 0.5f, 3};
  CHECK(plan.Rows({1, Kind::kNorm1}).scale == 0.5f);
  CHECK(plan.Rows({2, Kind::kNorm1}).type == Type::QD8);
}

}  // namespace
}  // namespace vitrine
