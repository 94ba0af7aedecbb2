// SPDX-License-Identifier: Apache-2.0
#include "converter/lower/merge_tokens.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "converter/error.h"
#include "converter/lower/lower.h"
#include "tests/support/small_vit.h"
#include "tests/support/tiny_model.h"

namespace vitrine {
namespace {

using Catch::Matchers::ContainsSubstring;

MergedProgram Merged(VitConfig config, int merged) {
  config.keys_are_compared = merged > 0;
  const Vit vit = testing::SmallVit(config);
  const Plan plan(Recipe::kF32);
  testing::Draft draft;
  Lowering lowering(&draft.builder, config, plan);
  for (int segment = 0; segment <= config.depth + 1; ++segment) LowerSegment(vit, segment, plan, &lowering);
  return MergeTokens(draft.builder.model, lowering.operators(), config, merged);
}

/// Returns the rows of the output of the first linear layer `layer`.
uint32_t RowsOf(const MergedProgram& program, const Layer& layer) {
  for (size_t i = 0; i < program.operators.size(); ++i) {
    if (program.operators[i] != layer) continue;
    const auto* linear = program.level.operators[i]->kind.AsLinear();
    REQUIRE(linear != nullptr);
    return program.level.tensors[static_cast<size_t>(linear->output)]->rows;
  }
  FAIL("no such layer");
  return 0;
}

VitConfig MeanPooled() {
  VitConfig config = testing::SmallConfig();
  config.pooling = Pooling::kPatchMean;
  return config;
}

TEST_CASE("Merging zero tokens leaves the program as it is") {
  const MergedProgram program = Merged(MeanPooled(), 0);
  CHECK(std::count(program.operators.begin(), program.operators.end(), Layer{1, Kind::kMerge}) == 0);
  CHECK(RowsOf(program, {2, Kind::kFc2}) == 17);
}

TEST_CASE("Each block merges between its attention and its MLP") {
  const MergedProgram program = Merged(MeanPooled(), 3);
  REQUIRE(program.operators.size() == program.level.operators.size());
  for (const int block : {1, 2}) {
    const auto merge =
        std::find(program.operators.begin(), program.operators.end(), Layer{block, Kind::kMerge});
    REQUIRE(merge != program.operators.end());
    CHECK(*(merge - 1) == Layer{block, Kind::kProjection});
    CHECK(*(merge + 1) == Layer{block, Kind::kNorm2});
    const size_t index = static_cast<size_t>(merge - program.operators.begin());
    CHECK(program.level.operators[index]->name == NameOf(*merge));
  }
}

TEST_CASE("Later layers have only the rows that are left") {
  const MergedProgram program = Merged(MeanPooled(), 3);
  CHECK(RowsOf(program, {1, Kind::kQkv}) == 17);
  CHECK(RowsOf(program, {1, Kind::kProjection}) == 17);
  CHECK(RowsOf(program, {1, Kind::kFc1}) == 14);
  CHECK(RowsOf(program, {2, Kind::kQkv}) == 14);
  CHECK(RowsOf(program, {2, Kind::kFc2}) == 11);
}

TEST_CASE("A block with too few tokens merges fewer") {
  VitConfig config = MeanPooled();
  config.depth = 3;
  const MergedProgram program = Merged(config, 8);  // 17 tokens, then 9, of which at most 4 merge
  CHECK(RowsOf(program, {1, Kind::kFc1}) == 9);
  CHECK(RowsOf(program, {2, Kind::kFc1}) == 5);
}

TEST_CASE("The last block does not merge where the head reads one row") {
  const MergedProgram program = Merged(testing::SmallConfig(), 2);
  CHECK(std::count(program.operators.begin(), program.operators.end(), Layer{1, Kind::kMerge}) == 1);
  CHECK(std::count(program.operators.begin(), program.operators.end(), Layer{2, Kind::kMerge}) == 0);
}

TEST_CASE("A pool over the patches counts only those that are left") {
  const MergedProgram program = Merged(MeanPooled(), 3);
  for (const auto& op : program.level.operators) {
    const auto* pool = op->kind.AsPool();
    if (pool == nullptr) continue;
    CHECK(pool->sizes >= 0);
    CHECK(pool->ranges.front().first() == 1);
    CHECK(pool->ranges.front().count() == 10);
  }
}

TEST_CASE("Rotary positions do not go with merging") {
  VitConfig config = MeanPooled();
  config.rotary.frequencies = {1, 0.5, 0.25, 0.125};
  CHECK_THROWS_WITH(Merged(config, 2), ContainsSubstring("rotary"));
  CHECK_NOTHROW(Merged(config, 0));
}

TEST_CASE("More tokens than the first block can merge are refused") {
  CHECK_NOTHROW(CheckMerging(testing::SmallConfig(), 8));
  CHECK_THROWS_AS(CheckMerging(testing::SmallConfig(), 9), UsageError);
}

}  // namespace
}  // namespace vitrine
