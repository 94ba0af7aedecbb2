// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/attention_int8.h"

#include "tests/runtime/kernels/attention_inputs.h"

namespace vitrine::kernels {
namespace {

void Run(const AttentionArguments& a, const std::vector<size_t>& splits) {
  Guarded<float> packed(AttentionInt8PackedBytes(a.T, a.H, a.K) / sizeof(float));
  Guarded<float> scratch(AttentionInt8ScratchBytes(a.T, a.H, a.K) / sizeof(float));
  std::fill_n(scratch.data(), scratch.size(), NAN);
  std::fill_n(packed.data(), packed.size(), NAN);
  for (size_t head = a.H; head-- > 0;) PackAttentionInt8Head(a, head, packed.data(), scratch.data());
  std::fill_n(scratch.data(), scratch.size(), NAN);
  size_t first = 0;
  for (const size_t last : splits) {
    AttentionInt8Tile(a, packed.data(), first, last, scratch.data());
    first = last;
  }
}

/// Returns the signal to noise ratio against attention in f64, in dB.
double Fidelity(AttentionInputs& inputs) {
  const AttentionShape& s = inputs.shape;
  const size_t D = s.H * s.K;
  WatchedRows actual(RowType::kF32, s.Tq, D), expected(RowType::kF32, s.Tq, D);
  Run(inputs.Arguments(actual.rows()), {s.Tq});
  std::vector<char> scratch(RowScratchBytes(D));
  AttentionReference(inputs.Arguments(expected.rows()), 0, s.Tq, scratch.data());
  double signal = 1e-30, noise = 1e-30;
  for (size_t row = 0; row < s.Tq; ++row) {
    for (size_t i = 0; i < D; ++i) {
      const double e = expected.At(row, i), d = actual.At(row, i) - e;
      signal += e * e, noise += d * d;
    }
  }
  return 10 * std::log10(signal / noise);
}

/// Calls `check` if there is an int8 attention kernel for this CPU.
void WhereFast(const std::function<void()>& check) {
  if (HasAttentionInt8()) check();
}

TEST_CASE("Attention in int8 keeps 28 dB for any shape") {
  WhereFast([] {
    Generator generator(1);
    for (const size_t K : {1, 3, 4, 8, 16, 20, 24, 31, 40, 64, 72, 80}) {
      for (const size_t T : {1, 2, 7, 8, 9, 17, 50}) {
        AttentionInputs inputs({T, T, 2, K}, generator, 1);
        INFO("K " << K << " T " << T);
        REQUIRE(Fidelity(inputs) > 28);
      }
    }
    for (int i = 0; i < 30; ++i) {
      const size_t T = Uniform(generator, 8, 120);
      AttentionInputs inputs(
          {T, Uniform(generator, 1, T), Uniform(generator, 1, 4), Uniform(generator, 8, 90)}, generator,
          1.5f);
      REQUIRE(Fidelity(inputs) > 28);
    }
  });
}

TEST_CASE("Attention in int8 keeps 28 dB at the size of ViT-S, from flat to peaked") {
  WhereFast([] {
    Generator generator(2);
    for (const float deviation : {0.1f, 0.5f, 1.0f, 2.0f, 4.0f}) {
      AttentionInputs inputs({197, 40, 2, 64}, generator, deviation);
      INFO("deviation " << deviation);
      CHECK(Fidelity(inputs) > 28);
    }
  });
}

TEST_CASE("Attention in int8 counts a merged key by its number of tokens") {
  WhereFast([] {
    Generator generator(7);
    for (const size_t T : {1, 7, 16, 50, 101, 197}) {
      for (const size_t largest : {1, 6, 60}) {
        AttentionInputs inputs({T, T, 2, 32}, generator, 1);
        Guarded<float> size_log2(SizeLogarithms(generator, T, largest));
        inputs.size_log2 = size_log2.data();
        INFO("T " << T << ", sizes up to " << largest);
        REQUIRE(Fidelity(inputs) > 28);
      }
    }
  });
}

TEST_CASE("Attention in int8 keeps the sum of probabilities below one step") {
  WhereFast([] {
    // One key is 400 times as likely as each of 400 others. The others contribute half of the output, in
    // terms of one step or less each.
    constexpr size_t T = 401, K = 16;
    Generator generator(3);
    AttentionInputs inputs({T, 1, 1, K}, generator, 1);
    for (size_t t = 0; t < T; ++t) {
      float* row = inputs.qkv.data() + t * 3 * K;
      for (size_t i = 0; i < K; ++i) {
        row[i] = 1.0f;
        row[K + i] = t == 7 ? std::log(400.0f) / K : 0.0f;
        row[2 * K + i] = t == 7 ? 1.0f : -1.0f;
      }
    }
    WatchedRows out(RowType::kF32, 1, K);
    Run(inputs.Arguments(out.rows()), {1});
    for (size_t i = 0; i < K; ++i) CHECK(std::abs(out.At(0, i)) < 0.03f);
  });
}

TEST_CASE("Attention in int8 writes quantized rows") {
  WhereFast([] {
    Generator generator(4);
    AttentionInputs inputs({33, 33, 3, 24}, generator, 1);
    WatchedRows floats(RowType::kF32, 33, 72), dynamic(RowType::kQd8, 33, 72),
        fixed(RowType::kQs8, 33, 72, {-3, 0.02f});
    Run(inputs.Arguments(floats.rows()), {33});
    Run(inputs.Arguments(dynamic.rows()), {33});
    Run(inputs.Arguments(fixed.rows()), {33});
    for (size_t row = 0; row < 33; ++row) {
      for (size_t i = 0; i < 72; ++i) {
        REQUIRE(std::abs(dynamic.At(row, i) - floats.At(row, i)) <= 0.5002f * dynamic.Step(row));
        REQUIRE(std::abs(fixed.At(row, i) - std::clamp(floats.At(row, i), -2.5f, 2.6f)) <=
                0.5002f * fixed.Step(row));
      }
    }
  });
}

TEST_CASE("Attention in int8 gives the same bytes for any split of its rows") {
  WhereFast([] {
    Generator generator(5);
    AttentionInputs inputs({50, 50, 3, 24}, generator, 2);
    WatchedRows whole(RowType::kF32, 50, 72), split(RowType::kF32, 50, 72);
    Run(inputs.Arguments(whole.rows()), {50});
    Run(inputs.Arguments(split.rows()), {1, 8, 16, 21, 37, 50});
    for (size_t row = 0; row < 50; ++row) {
      for (size_t i = 0; i < 72; ++i) REQUIRE(whole.At(row, i) == split.At(row, i));
    }
  });
}

TEST_CASE("Attention in int8 accepts zeros, NaN and infinity") {
  WhereFast([] {
    Generator generator(6);
    for (const float bad : {NAN, INFINITY, -INFINITY, 1e30f, 1e-42f, 0.0f}) {
      for (const size_t every : {1, 7}) {
        AttentionInputs inputs({20, 20, 2, 16}, generator, 1);
        for (size_t i = 0; i < inputs.qkv.size(); i += every) inputs.qkv[i] = bad;
        for (const RowType type : {RowType::kF32, RowType::kQd8, RowType::kQs8}) {
          WatchedRows rows(type, 20, 32);
          Run(inputs.Arguments(rows.rows()), {20});
          if (bad == 0.0f && every == 1) CHECK(rows.At(3, 3) == 0);
        }
      }
    }
  });
}

}  // namespace
}  // namespace vitrine::kernels
