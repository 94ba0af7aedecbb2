// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/merge_tokens.h"

#include <algorithm>

#include "tests/runtime/kernels/kernel_test.h"

namespace vitrine::kernels {
namespace {

struct Shape {
  size_t T, D, H, K, protected_rows, merged;
};

struct Inputs {
  Shape shape;
  Guarded<float> tokens, delta, key, sizes;

  Inputs(const Shape& s, Generator& generator)
      : shape(s),
        tokens(Normal(generator, s.T * s.D, 1)),
        delta(Normal(generator, s.T * s.D, 1)),
        key(Normal(generator, s.T * (s.H * s.K + 3) - 3, 1, 0.3f)),
        sizes(s.T) {
    for (size_t t = 0; t < s.T; ++t) sizes[t] = static_cast<float>(Uniform(generator, 1, 9));
  }
  MergeTokensArguments Arguments(Guarded<float>& out, Guarded<float>& out_sizes) {
    const Shape& s = shape;
    return {tokens.data(), delta.data(), key.data(), s.H * s.K + 3, sizes.data(), s.T, s.D, s.H, s.K,
            s.protected_rows, s.merged, out.data(), out_sizes.data()};
  }
};

/// Runs every stage in pieces of `step`, from the last to the first. Returns the shared buffer.
std::vector<float> Run(const MergeTokensArguments& a, size_t step) {
  Guarded<float> shared(MergeTokensSharedBytes(a.T, a.K) / sizeof(float)), scratch(MergeTokensScratchBytes(a.K) / sizeof(float));
  std::fill_n(shared.data(), shared.size(), NAN);
  const auto in_pieces = [&](size_t first, size_t last, const auto& stage) {
    for (size_t i = (last - first + step - 1) / step; i-- > 0;) stage(first + i * step, std::min(last, first + (i + 1) * step));
  };
  in_pieces(a.protected_rows, a.T,
            [&](size_t first, size_t last) { MergeTokensMetric(a, first, last, shared.data(), scratch.data()); });
  in_pieces(0, a.even_count(), [&](size_t first, size_t last) { MergeTokensMatch(a, first, last, shared.data()); });
  MergeTokensPlan(a, shared.data());
  in_pieces(0, a.T - a.merged, [&](size_t first, size_t last) { MergeTokensRows(a, first, last, shared.data()); });
  return {shared.data(), shared.data() + shared.size()};
}

void CompareWithReference(Inputs& inputs, bool with_delta, bool with_sizes) {
  const Shape& s = inputs.shape;
  const size_t rows = s.T - s.merged;
  Guarded<float> out(rows * s.D), sizes(2 * rows), expected(rows * s.D), expected_sizes(2 * rows);
  for (const size_t step : {size_t{1}, size_t{5}, s.T}) {
    MergeTokensArguments a = inputs.Arguments(out, sizes), reference = inputs.Arguments(expected, expected_sizes);
    if (!with_delta) a.delta = reference.delta = nullptr;
    if (!with_sizes) a.sizes = reference.sizes = nullptr;
    Run(a, step);
    MergeTokensReference(reference);
    for (size_t i = 0; i < out.size(); ++i) REQUIRE(std::abs(out[i] - expected[i]) < 1e-5f);
    for (size_t i = 0; i < rows; ++i) REQUIRE(sizes[i] == expected_sizes[i]);
    for (size_t i = rows; i < 2 * rows; ++i) REQUIRE(std::abs(sizes[i] - expected_sizes[i]) < 1e-6f);
  }
}

TEST_CASE("Merging tokens agrees with the reference for any shape") {
  OnEveryTarget([] {
    Generator generator(1);
    for (const Shape& shape : {Shape{2, 3, 1, 1, 0, 1}, {3, 16, 2, 4, 1, 1}, {197, 40, 3, 20, 1, 13}, {198, 8, 2, 64, 2, 98},
                               {50, 5, 1, 7, 1, 1}, {64, 24, 4, 16, 0, 32}, {261, 16, 2, 33, 5, 60}}) {
      Inputs inputs(shape, generator);
      INFO("T " << shape.T << ", " << shape.merged << " merged");
      for (const bool with_delta : {false, true}) {
        for (const bool with_sizes : {false, true}) CompareWithReference(inputs, with_delta, with_sizes);
      }
    }
    for (int i = 0; i < 20; ++i) {
      Shape shape = {Uniform(generator, 8, 120), Uniform(generator, 1, 50), Uniform(generator, 1, 4), Uniform(generator, 2, 70),
                     Uniform(generator, 0, 5), 0};
      shape.merged = Uniform(generator, 1, (shape.T - shape.protected_rows) / 2);
      shape.merged = std::min(shape.merged, shape.T / 2 - (shape.protected_rows + 1) / 2);
      Inputs inputs(shape, generator);
      CompareWithReference(inputs, true, true);
    }
  });
}

TEST_CASE("Merging tokens keeps the weighted sum of all tokens") {
  OnEveryTarget([] {
    Generator generator(2);
    Inputs inputs({99, 17, 2, 16, 1, 30}, generator);
    Guarded<float> out(69 * 17), sizes(2 * 69);
    const MergeTokensArguments a = inputs.Arguments(out, sizes);
    Run(a, 16);
    for (size_t i = 0; i < 17; ++i) {
      double before = 0, after = 0;
      for (size_t t = 0; t < 99; ++t) before += inputs.sizes[t] * (inputs.tokens[t * 17 + i] + inputs.delta[t * 17 + i]);
      for (size_t t = 0; t < 69; ++t) after += sizes[t] * out[t * 17 + i];
      CHECK(std::abs(before - after) < 1e-3);
    }
  });
}

TEST_CASE("MergeTokensWeights returns the share of each token in each row") {
  OnEveryTarget([] {
    Generator generator(4);
    Inputs inputs({99, 17, 2, 16, 1, 30}, generator);
    Guarded<float> out(69 * 17), sizes(2 * 69);
    const MergeTokensArguments a = inputs.Arguments(out, sizes);
    const std::vector<float> shared = Run(a, 16);
    std::vector<float> weights(69 * 99);
    MergeTokensWeights(a, shared.data(), weights.data());
    for (size_t row = 0; row < 69; ++row) {
      for (size_t i = 0; i < 17; ++i) {
        double sum = 0;
        for (size_t t = 0; t < 99; ++t) sum += double{weights[row * 99 + t]} * (inputs.tokens[t * 17 + i] + inputs.delta[t * 17 + i]);
        REQUIRE(std::abs(sum - out[row * 17 + i]) < 1e-5);
      }
    }
  });
}

TEST_CASE("Merging tokens accepts NaN and equal keys") {
  OnEveryTarget([] {
    Generator generator(3);
    for (const float bad : {NAN, INFINITY, 0.0f, 1.0f, 1e30f}) {
      for (const size_t every : {1, 5}) {
        Inputs inputs({40, 8, 2, 8, 1, 12}, generator);
        for (size_t i = 0; i < inputs.key.size(); i += every) inputs.key[i] = bad;
        Guarded<float> out(28 * 8), sizes(2 * 28);
        Run(inputs.Arguments(out, sizes), 16);
        float total = 0;
        for (size_t t = 0; t < 28; ++t) total += sizes[t];
        float expected = 0;
        for (size_t t = 0; t < 40; ++t) expected += inputs.sizes[t];
        CHECK(total == expected);
      }
    }
  });
}

}  // namespace
}  // namespace vitrine::kernels
