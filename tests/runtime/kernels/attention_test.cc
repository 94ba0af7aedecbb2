// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/attention.h"

#include "tests/runtime/kernels/attention_inputs.h"

namespace vitrine::kernels {
namespace {

void Run(const AttentionArguments& a, const std::vector<size_t>& splits) {
  Guarded<float> packed(AttentionPackedBytes(a.T, a.H, a.K) / sizeof(float));
  Guarded<float> scratch(AttentionScratchBytes(a.T, a.H, a.K) / sizeof(float));
  std::fill_n(scratch.data(), scratch.size(), NAN);
  for (size_t head = a.H; head-- > 0;) PackAttentionHead(a, head, packed.data());
  size_t first = 0;
  for (const size_t last : splits) {
    AttentionTile(a, packed.data(), first, last, scratch.data());
    first = last;
  }
}

/// Returns the error of the output against the reference, relative to the largest value.
double Error(AttentionInputs& inputs, RowType type) {
  const AttentionShape& s = inputs.shape;
  const size_t D = s.H * s.K;
  WatchedRows actual(type, s.Tq, D, {-5, 0.02f}), expected(RowType::kF32, s.Tq, D);
  Run(inputs.Arguments(actual.rows()), {s.Tq});
  std::vector<char> scratch(RowScratchBytes(D));
  AttentionReference(inputs.Arguments(expected.rows()), 0, s.Tq, scratch.data());
  double worst = 0;
  for (size_t row = 0; row < s.Tq; ++row) {
    for (size_t i = 0; i < D; ++i) {
      double e = expected.At(row, i);
      if (type == RowType::kQs8) e = std::clamp(e, -123 * 0.02, 132 * 0.02);
      worst = std::max(worst, std::abs(actual.At(row, i) - e) - 0.5002 * actual.Step(row));
    }
  }
  return worst;
}

TEST_CASE("Attention agrees with the reference for any shape") {
  OnEveryTarget([] {
    Generator generator(1);
    for (const size_t K : {1, 3, 4, 8, 16, 20, 24, 31, 40, 64, 72, 80}) {
      for (const size_t T : {1, 2, 7, 8, 9, 17, 50}) {
        AttentionInputs inputs({T, T, 2, K}, generator, 2);
        INFO("K " << K << " T " << T);
        REQUIRE(Error(inputs, RowType::kF32) < 3e-6);
      }
    }
    for (int i = 0; i < 15; ++i) {
      const size_t T = Uniform(generator, 1, 120);
      AttentionInputs inputs(
          {T, Uniform(generator, 1, T), Uniform(generator, 1, 4), Uniform(generator, 1, 90)}, generator,
          1.5f);
      for (const RowType type : {RowType::kF32, RowType::kQd8, RowType::kQs8}) {
        REQUIRE(Error(inputs, type) < 3e-6);
      }
    }
  });
}

TEST_CASE("Attention computes a single query") {
  OnEveryTarget([] {
    Generator generator(2);
    AttentionInputs inputs({197, 1, 3, 64}, generator, 3);
    CHECK(Error(inputs, RowType::kF32) < 3e-6);
    CHECK(Error(inputs, RowType::kQd8) < 3e-6);
  });
}

TEST_CASE("Attention is precise for scores far from zero") {
  OnEveryTarget([] {
    Generator generator(3);
    for (const float deviation : {0.0f, 30.0f, 1000.0f}) {
      AttentionInputs inputs({60, 60, 2, 32}, generator, deviation);
      // A score of a thousand has a rounding error of 6e-5 in f32, the relative error of its probability.
      CHECK(Error(inputs, RowType::kF32) < 2e-6 + 1e-6 * deviation);
    }
    // All scores are far below zero: the padding of a panel of keys must not become the maximum.
    AttentionInputs inputs({13, 13, 1, 16}, generator, 1);
    for (size_t t = 0; t < 13; ++t) {
      for (size_t i = 0; i < 16; ++i) inputs.qkv[t * 48 + i] = 20, inputs.qkv[t * 48 + 16 + i] = -20;
    }
    CHECK(Error(inputs, RowType::kF32) < 1e-5);
  });
}

TEST_CASE("Attention adds the relative position bias") {
  OnEveryTarget([] {
    Generator generator(6);
    for (const auto& [height, width] :
         {std::pair<size_t, size_t>{1, 1}, {1, 9}, {7, 1}, {3, 5}, {4, 4}, {6, 11}}) {
      const size_t T = 1 + height * width, H = 2, places = PositionBiasPlaces(height, width);
      Guarded<float> bias(Normal(generator, H * places, 2));
      for (const size_t Tq : {T, size_t{1}}) {
        AttentionInputs inputs({T, Tq, H, 20}, generator, 2);
        inputs.bias = bias.data();
        inputs.grid_height = height;
        inputs.grid_width = width;
        INFO("grid " << height << " x " << width);
        REQUIRE(Error(inputs, RowType::kF32) < 3e-6);
        REQUIRE(Error(inputs, RowType::kQd8) < 3e-6);
      }
    }
  });
}

TEST_CASE("Attention counts a merged key by its number of tokens") {
  OnEveryTarget([] {
    Generator generator(7);
    for (const size_t T : {1, 7, 16, 50, 101}) {
      AttentionInputs inputs({T, T, 2, 20}, generator, 2);
      Guarded<float> size_log2(SizeLogarithms(generator, T, 40));
      inputs.size_log2 = size_log2.data();
      INFO("T " << T);
      REQUIRE(Error(inputs, RowType::kF32) < 3e-6);
      REQUIRE(Error(inputs, RowType::kQd8) < 3e-6);
    }
  });
}

/// Returns the largest error of the mean probabilities against the reference.
double ErrorOfMean(AttentionInputs& inputs) {
  const AttentionShape& s = inputs.shape;
  const AttentionArguments a = inputs.Arguments({});
  Guarded<float> packed(AttentionPackedBytes(s.T, s.H, s.K) / sizeof(float)), mean(s.Tq * s.T);
  Guarded<float> scratch(AttentionMeanScratchBytes(s.T, s.K) / sizeof(float));
  std::fill_n(scratch.data(), scratch.size(), NAN);
  for (size_t head = 0; head < s.H; ++head) PackAttentionHead(a, head, packed.data());
  const size_t half = s.Tq / 2;
  AttentionMean(a, packed.data(), 0, half, mean.data(), scratch.data());
  AttentionMean(a, packed.data(), half, s.Tq, mean.data(), scratch.data());
  std::vector<float> expected(s.Tq * s.T);
  AttentionMeanReference(a, 0, s.Tq, expected.data());
  double worst = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    worst = std::max<double>(worst, std::abs(mean[i] - expected[i]));
  }
  return worst;
}

TEST_CASE("AttentionMean averages the probabilities over the heads") {
  OnEveryTarget([] {
    Generator generator(8);
    for (int i = 0; i < 30; ++i) {
      const size_t T = Uniform(generator, 1, 120);
      AttentionInputs inputs(
          {T, Uniform(generator, 1, T), Uniform(generator, 1, 4), Uniform(generator, 1, 90)}, generator, 2);
      Guarded<float> size_log2(SizeLogarithms(generator, T, 9));
      if (i % 2 == 0) inputs.size_log2 = size_log2.data();
      REQUIRE(ErrorOfMean(inputs) < 1e-6);
    }
    Guarded<float> bias(Normal(generator, 2 * PositionBiasPlaces(4, 5), 2));
    AttentionInputs inputs({21, 21, 2, 20}, generator, 2);
    inputs.bias = bias.data();
    inputs.grid_height = 4;
    inputs.grid_width = 5;
    REQUIRE(ErrorOfMean(inputs) < 1e-6);
  });
}

TEST_CASE("Attention gives the same bytes for any split of its rows") {
  OnEveryTarget([] {
    Generator generator(4);
    AttentionInputs inputs({50, 50, 3, 24}, generator, 2);
    WatchedRows whole(RowType::kF32, 50, 72), split(RowType::kF32, 50, 72);
    Run(inputs.Arguments(whole.rows()), {50});
    Run(inputs.Arguments(split.rows()), {1, 8, 16, 21, 37, 50});
    for (size_t row = 0; row < 50; ++row) {
      for (size_t i = 0; i < 72; ++i) REQUIRE(whole.At(row, i) == split.At(row, i));
    }
  });
}

TEST_CASE("Attention accepts NaN and infinity") {
  OnEveryTarget([] {
    Generator generator(5);
    for (const float bad : {NAN, INFINITY, -INFINITY, 1e30f}) {
      AttentionInputs inputs({20, 20, 2, 16}, generator, 1);
      for (size_t i = 0; i < inputs.qkv.size(); i += 7) inputs.qkv[i] = bad;
      for (const RowType type : {RowType::kF32, RowType::kQd8, RowType::kQs8}) {
        WatchedRows rows(type, 20, 32);
        Run(inputs.Arguments(rows.rows()), {20});
      }
    }
  });
}

}  // namespace
}  // namespace vitrine::kernels
