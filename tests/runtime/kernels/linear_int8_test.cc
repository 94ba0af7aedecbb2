// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/linear_int8.h"

#include "tests/runtime/kernels/kernel_test.h"

namespace vitrine::kernels {
namespace {

/// A layer of random bytes over their whole range, with its packed weights.
struct Layer {
  size_t T, N, K, stride;
  Guarded<int8_t> input, weight;
  Guarded<float> scales, bias;
  std::vector<RowQuantization> quantization;
  Guarded<char> packed, scratch;

  Layer(size_t T, size_t N, size_t K, Generator& generator, size_t gap = 0)
      : T(T),
        N(N),
        K(K),
        stride(K + gap),
        input(T * (K + gap)),
        weight(N * K),
        scales(N),
        bias(N),
        quantization(T),
        packed(LinearInt8PackedBytes(N, K)),
        scratch(LinearInt8ScratchBytes(K)) {
    for (size_t i = 0; i < input.size(); ++i)
      input[i] = static_cast<int8_t>(Uniform(generator, 0, 255) - 128);
    for (size_t i = 0; i < weight.size(); ++i)
      weight[i] = static_cast<int8_t>(Uniform(generator, 0, 254) - 127);
    for (size_t n = 0; n < N; ++n) {
      scales[n] = static_cast<float>(Uniform(generator, 1, 1000)) * 1e-5f;
      bias[n] = static_cast<float>(Uniform(generator, 0, 2000)) * 1e-3f - 1;
    }
    for (RowQuantization& q : quantization) {
      q.zero_point = static_cast<int32_t>(Uniform(generator, 0, 255)) - 128;
      q.scale = static_cast<float>(Uniform(generator, 1, 1000)) * 1e-4f;
    }
  }

  LinearInt8Weights Weights(bool with_bias = true) {
    return {weight.data(), scales.data(), with_bias ? bias.data() : nullptr, N, K};
  }
  LinearInt8Arguments Arguments(Guarded<float>& out) {
    return {input.data(), stride, quantization.data(), packed.data(), out.data(), N, N, K};
  }
};

void CheckAgainstReference(Layer& layer, bool with_bias = true) {
  Guarded<float> actual(layer.T * layer.N), expected(layer.T * layer.N);
  const LinearInt8Weights weights = layer.Weights(with_bias);
  PackLinearInt8(weights, LinearInt8Group(), layer.packed.data());
  LinearInt8Tile(layer.Arguments(actual), 0, layer.T, 0, layer.N, layer.scratch.data());
  LinearInt8Reference(layer.Arguments(expected), weights, 0, layer.T);
  INFO("T " << layer.T << " N " << layer.N << " K " << layer.K);
  for (size_t i = 0; i < actual.size(); ++i) {
    const float bias = with_bias ? std::abs(layer.bias[i % layer.N]) : 0.0f;
    REQUIRE(std::abs(actual[i] - expected[i]) <= 3e-7f * (std::abs(expected[i]) + bias));
  }
}

TEST_CASE("A linear layer in int8 equals its reference for any shape") {
  if (!HasLinearInt8()) return;
  Generator generator(1);
  for (const size_t K : {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 64, 100, 147, 192}) {
    for (const size_t T : {1, 3, 4, 7, 8, 9, 17}) {
      Layer layer(T, Uniform(generator, 1, 40), K, generator, K % 3);
      CheckAgainstReference(layer, K % 2 == 0);
    }
  }
  Layer layer(21, 80, 1536, generator);
  CheckAgainstReference(layer);
}

TEST_CASE("A linear layer in int8 is exact at the ends of its range") {
  if (!HasLinearInt8()) return;
  Generator generator(2);
  for (const int input : {-128, 127}) {
    for (const int weight : {-127, 127}) {
      Layer layer(9, 9, 4096, generator);
      std::fill_n(layer.input.data(), layer.input.size(), static_cast<int8_t>(input));
      std::fill_n(layer.weight.data(), layer.weight.size(), static_cast<int8_t>(weight));
      CheckAgainstReference(layer);
    }
  }
}

TEST_CASE("A linear layer in int8 gives the same bytes for any split") {
  if (!HasLinearInt8()) return;
  Generator generator(3);
  Layer layer(21, 45, 100, generator);
  PackLinearInt8(layer.Weights(), LinearInt8Group(), layer.packed.data());
  Guarded<float> whole(21 * 45), split(21 * 45);
  LinearInt8Tile(layer.Arguments(whole), 0, 21, 0, 45, layer.scratch.data());
  const size_t rows[] = {0, 3, 8, 9, 21}, columns[] = {0, 8, 32, 45};
  for (size_t r = 1; r < std::size(rows); ++r) {
    for (size_t c = 1; c < std::size(columns); ++c) {
      LinearInt8Tile(layer.Arguments(split), rows[r - 1], rows[r], columns[c - 1], columns[c],
                     layer.scratch.data());
    }
  }
  for (size_t i = 0; i < whole.size(); ++i) REQUIRE(whole[i] == split[i]);
}

}  // namespace
}  // namespace vitrine::kernels
