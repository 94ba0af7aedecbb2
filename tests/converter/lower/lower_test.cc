// SPDX-License-Identifier: Apache-2.0
#include "converter/lower/lower.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "converter/error.h"
#include "tests/support/small_vit.h"
#include "tests/support/tiny_model.h"

namespace vitrine {
namespace {

using Catch::Matchers::ContainsSubstring;
using schema::Type;

/// A lowered model and the layers of its operators and tensors.
struct Lowered {
  testing::Draft draft;
  std::vector<Layer> operators, tensors;

  explicit Lowered(const Vit& vit, const Plan& plan = Plan(Recipe::kDynamic)) {
    Lowering lowering(&draft.builder, vit.config, plan);
    for (int segment = 0; segment <= vit.config.depth + 1; ++segment)
      LowerSegment(vit, segment, plan, &lowering);
    operators = lowering.operators();
    tensors = lowering.tensors();
  }

  const schema::ModelT& model() const { return draft.builder.model; }
  size_t IndexOf(const Layer& layer) const {
    const auto found = std::find(operators.begin(), operators.end(), layer);
    REQUIRE(found != operators.end());
    return static_cast<size_t>(found - operators.begin());
  }
  const schema::LinearT& linear(const Layer& layer) const {
    const auto* linear = model().operators[IndexOf(layer)]->kind.AsLinear();
    REQUIRE(linear != nullptr);
    return *linear;
  }
  Type WeightType(const Layer& layer) const {
    return model().constants[static_cast<size_t>(linear(layer).weight)]->type;
  }
  const schema::TensorT& tensor(int index) const { return *model().tensors[static_cast<size_t>(index)]; }
  bool Loads() const { return Model::FromBytes(const_cast<Lowered*>(this)->draft.Bytes().bytes()).ok(); }
};

std::vector<Kind> KindsOf(const std::vector<Layer>& layers, int block) {
  std::vector<Kind> kinds;
  for (const Layer& layer : layers) {
    if (layer.block == block) kinds.push_back(layer.kind);
  }
  return kinds;
}

TEST_CASE("A block is eight operators in the order of its function") {
  const Lowered lowered(testing::SmallVit(testing::SmallConfig()));
  CHECK(KindsOf(lowered.operators, 1) == std::vector{Kind::kNorm1, Kind::kQkv, Kind::kAttention,
                                                     Kind::kProjection, Kind::kNorm2, Kind::kFc1,
                                                     Kind::kActivation, Kind::kFc2});
  CHECK(KindsOf(lowered.operators, 0) ==
        std::vector{Kind::kPatchPixels, Kind::kPatchEmbedding, Kind::kPositions, Kind::kNorm, Kind::kHead});
  CHECK(lowered.Loads());
}

TEST_CASE("The file has the layers' names") {
  const Lowered lowered(testing::SmallVit(testing::SmallConfig()));
  REQUIRE(lowered.operators.size() == lowered.model().operators.size());
  REQUIRE(lowered.tensors.size() == lowered.model().tensors.size());
  for (size_t i = 0; i < lowered.operators.size(); ++i)
    CHECK(lowered.model().operators[i]->name == NameOf(lowered.operators[i]));
  for (size_t i = 0; i < lowered.tensors.size(); ++i)
    CHECK(lowered.model().tensors[i]->name == NameOf(lowered.tensors[i]));
}

TEST_CASE("The last block computes only the rows that the head reads") {
  VitConfig config = testing::SmallConfig();
  const Lowered class_token(testing::SmallVit(config));
  const Layer projection = {2, Kind::kProjection};
  CHECK(KindsOf(class_token.operators, 2)[1] == Kind::kQuery);
  CHECK(class_token.tensor(class_token.linear(projection).output).rows == 1);
  config.pooling = Pooling::kClassAndPatchMean;
  const Lowered patches(testing::SmallVit(config));
  CHECK(KindsOf(patches.operators, 2)[1] == Kind::kQkv);
  CHECK(patches.tensor(patches.linear(projection).output).rows == 17);
}

TEST_CASE("Patch features keep every row and are an output") {
  VitConfig config = testing::SmallConfig();
  config.keeps_patches = true;
  const Lowered lowered(testing::SmallVit(config));
  REQUIRE(lowered.model().patch_features >= 0);
  CHECK(lowered.tensor(lowered.model().patch_features).rows == 17);
  CHECK(lowered.Loads());
}

TEST_CASE("Norms inside attention and MLP normalize what the next linear layer reads") {
  const Lowered lowered(testing::SmallVit(testing::SmallConfig(), true));
  for (const auto& [reader, norm] :
       {std::pair{Kind::kProjection, Kind::kAttentionNorm}, {Kind::kFc2, Kind::kMlpNorm}}) {
    const int input = lowered.linear({1, reader}).input;
    CHECK(lowered.tensors[static_cast<size_t>(input)] == Layer{1, norm});
    CHECK(lowered.tensor(input).type == Type::QD8);
  }
  CHECK(lowered.Loads());
}

TEST_CASE("Attention pooling has a query and an MLP of its own") {
  VitConfig config = testing::SmallConfig();
  config.pooling = Pooling::kAttention;
  CHECK_THROWS_WITH(Lowered(testing::SmallVit(config)), ContainsSubstring("this model has 1"));
  config.prefix_tokens = 0;
  const Lowered lowered(testing::SmallVit(config));
  for (const Kind kind :
       {Kind::kPoolQuery, Kind::kPoolKeyAndValue, Kind::kPoolAttention, Kind::kPoolProjection,
        Kind::kPoolNorm2, Kind::kPoolFc1, Kind::kPoolActivation, Kind::kPoolFc2, Kind::kPoolOutput})
    lowered.IndexOf({0, kind});
  CHECK(lowered.Loads());
}

TEST_CASE("Weights have the recipe's type and a small head stays f32") {
  const Vit vit = testing::SmallVit(testing::SmallConfig());
  const Layer fc1 = {1, Kind::kFc1}, head = {0, Kind::kHead};
  CHECK(Lowered(vit, Plan(Recipe::kDynamic)).WeightType(fc1) == Type::QC8W);
  CHECK(Lowered(vit, Plan(Recipe::kInt4)).WeightType(fc1) == Type::QB4W);
  CHECK(Lowered(vit, Plan(Recipe::kF32)).WeightType(fc1) == Type::F32);
  CHECK(Lowered(vit, Plan(Recipe::kDynamic)).WeightType(head) == Type::F32);
}

TEST_CASE("A head that is a large part of the model is int8") {
  VitConfig config = testing::SmallConfig();
  config.classes = 1000;
  const Vit vit = testing::SmallVit(config);
  CHECK(Lowered(vit, Plan(Recipe::kDynamic)).WeightType({0, Kind::kHead}) == Type::QC8W);
  CHECK(Lowered(vit, Plan(Recipe::kF32)).WeightType({0, Kind::kHead}) == Type::F32);
}

TEST_CASE("A tensor of the plan has its scale in the file") {
  Plan plan(Recipe::kStatic);
  plan.tensors[{2, Kind::kNorm2}] = {Type::QS8, 0.25f, -7};
  const Lowered lowered(testing::SmallVit(testing::SmallConfig()), plan);
  const schema::TensorT& planned = lowered.tensor(lowered.linear({2, Kind::kFc1}).input);
  CHECK(planned.type == Type::QS8);
  CHECK(planned.scale == 0.25f);
  CHECK(planned.zero_point == -7);
  CHECK(lowered.tensor(lowered.linear({1, Kind::kFc1}).input).type == Type::QD8);
}

}  // namespace
}  // namespace vitrine
