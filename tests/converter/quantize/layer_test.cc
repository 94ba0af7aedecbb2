// SPDX-License-Identifier: Apache-2.0
#include "converter/quantize/layer.h"

#include <catch2/catch_test_macros.hpp>
#include <set>

namespace vitrine {
namespace {

TEST_CASE("A layer's name has the block's number and the kind") {
  CHECK(NameOf({3, Kind::kFc1}) == "block 3 fc1");
  CHECK(NameOf({12, Kind::kKeyAndValue}) == "block 12 key and value");
  CHECK(NameOf({0, Kind::kPatchEmbedding}) == "patch embedding");
  CHECK(NameOf({0, Kind::kPoolKeyAndValue}) == "pool key and value");
  CHECK(NameOf({0, Kind::kHead}) == "head");
}

TEST_CASE("No two kinds have the same name") {
  std::set<std::string> names;
  int count = 0;
  for (; count <= static_cast<int>(Kind::kHead); ++count)
    names.insert(FactsOf(static_cast<Kind>(count)).name);
  CHECK(names.size() == static_cast<size_t>(count));
}

TEST_CASE("Layers are in the order of blocks") {
  CHECK(Layer{2, Kind::kFc2} < Layer{10, Kind::kNorm1});
  CHECK(Layer{2, Kind::kNorm1} < Layer{2, Kind::kFc2});
  CHECK(Layer{2, Kind::kNorm1} == Layer{2, Kind::kNorm1});
}

TEST_CASE("The layers of the blocks are calibrated and the last layers are not") {
  using enum LayerFacts::Weights;
  for (const Kind kind :
       {Kind::kQkv, Kind::kQuery, Kind::kKeyAndValue, Kind::kProjection, Kind::kFc1, Kind::kFc2})
    CHECK(FactsOf(kind).weights == kTrunk);
  for (const Kind kind : {Kind::kPooler, Kind::kHead}) CHECK(FactsOf(kind).weights == kLast);
  CHECK(FactsOf(Kind::kPatchEmbedding).weights == kPixels);
  CHECK(FactsOf(Kind::kNorm1).weights == kNone);
}

TEST_CASE("Only an MLP's first layer feeds a table") {
  for (int i = 0; i <= static_cast<int>(Kind::kHead); ++i) {
    const Kind kind = static_cast<Kind>(i);
    CHECK(FactsOf(kind).feeds_table == (kind == Kind::kFc1 || kind == Kind::kPoolFc1));
  }
}

}  // namespace
}  // namespace vitrine
