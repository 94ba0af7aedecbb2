// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <vector>
#include <vitrine/vitrine.hpp>

namespace vitrine {
namespace {

using Catch::Approx;

std::vector<int> IndicesOf(std::span<const Guess> top) {
  std::vector<int> indices;
  for (const Guess& guess : top) indices.push_back(guess.index);
  return indices;
}

TEST_CASE("TopClassesRanksLogitsAndReturnsProbabilities") {
  const std::vector<float> logits = {-20, 3, 40, 3, 39};
  std::vector<Guess> top(3);
  REQUIRE(TopClasses(logits, top) == 3);
  CHECK(IndicesOf(top) == std::vector<int>{2, 4, 1});
  CHECK(top[0].probability == Approx(1 / (1 + std::exp(-1.0))));
  CHECK(top[1].probability == Approx(std::exp(-1.0) / (1 + std::exp(-1.0))));
  CHECK(top[2].probability == Approx(std::exp(-37.0) / (1 + std::exp(-1.0))));
}

TEST_CASE("TopClassesAgreesWithSoftmax") {
  const std::vector<float> logits = {0.5f, -1, 2, 0};
  std::vector<float> probabilities(logits.size());
  Softmax(logits, probabilities);
  std::vector<Guess> top(logits.size());
  REQUIRE(TopClasses(logits, top) == logits.size());
  for (const Guess& guess : top)
    CHECK(guess.probability == Approx(probabilities[static_cast<size_t>(guess.index)]));
}

TEST_CASE("TopProbabilitiesKeepsThemAsTheyAre") {
  const std::vector<float> probabilities = {0.25f, 0.5f, 0.25f};
  std::vector<Guess> top(2);
  REQUIRE(TopProbabilities(probabilities, top) == 2);
  CHECK(IndicesOf(top) == std::vector<int>{1, 0});
  CHECK(top[0].probability == 0.5f);
  CHECK(top[1].probability == 0.25f);
}

TEST_CASE("TopClassesSetsNoMoreThanThereAre") {
  std::vector<Guess> top(3, Guess{-1, -1});
  CHECK(TopClasses(std::vector<float>{1, 2}, top) == 2);
  CHECK(top[2].index == -1);
  CHECK(top[2].probability == -1);
  CHECK(TopClasses({}, top) == 0);
  CHECK(TopClasses(std::vector<float>{1, 2}, {}) == 0);
}

}  // namespace
}  // namespace vitrine
