// SPDX-License-Identifier: Apache-2.0
// Measures each kernel at the sizes of ViT-S/16: nanoseconds on this machine, and instructions under the
// emulator, which counts them between the marks below. A mark is an unknown system call, which a real kernel
// refuses without any effect.
//   kernel_bench [REPEATS [NAME]]      REPEATS 0: run once, for counting
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <vector>

#include "hwy/targets.h"
#include "runtime/kernels/activation_rows.h"
#include "runtime/kernels/attention.h"
#include "runtime/kernels/attention_int8.h"
#include "runtime/kernels/linear_int8.h"
#include "runtime/kernels/norm_rows.h"
#include "runtime/kernels/row_kernels.h"

namespace {

using namespace vitrine::kernels;

constexpr size_t kT = 197, kD = 384, kH = 6, kK = 64, kM = 1536;

int repeats = 20;
const char* only = "";
int label = 0;

std::vector<float> Random(size_t n, float deviation) {
  static std::mt19937 generator(1);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> x(n);
  for (float& v : x) v = normal(generator);
  return x;
}

/// Runs a kernel on `elements` elements: once to warm up, once between marks, and then the best of `repeats`.
void Measure(const char* name, size_t elements, const std::function<void()>& run) {
  ++label;
  if (std::strstr(name, only) == nullptr) return;
  run();
  syscall(9001, 1, label);
  run();
  syscall(9001, 2, label);
  double best = 1e30;
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run();
    best = std::min(best, std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count());
  }
  if (repeats == 0) best = 0;
  std::printf("%2d %-28s %8zu elements %9.1f us %7.3f ns/element\n", label, name, elements, best / 1e3,
              best / static_cast<double>(elements));
}

/// The kernels' output buffers, in each of the three types.
struct Rows {
  std::vector<float> floats;
  std::vector<int8_t> bytes;
  std::vector<RowQuantization> quantization;
  size_t stride;

  Rows(size_t rows, size_t columns)
      : floats(rows * columns), bytes(rows * columns), quantization(rows, {3, 0.03f}), stride(columns) {}
  OutputRows Of(RowType type) {
    return {type, type == RowType::kF32 ? static_cast<void*>(floats.data()) : bytes.data(), stride, quantization.data()};
  }
};

void MeasureNorm() {
  std::vector<float> x = Random(kT * kD, 1), gamma = Random(kD, 1), scratch(kM);
  const std::vector<float> delta = Random(kT * kD, 0.01f);
  Rows rows(kT, kD);
  NormRowsArguments a = {x.data(), kD, nullptr, 0, kD, 1e-6f, nullptr, nullptr, rows.Of(RowType::kQd8)};
  Measure("norm to qd8", kT * kD, [&] { NormRows(a, 0, kT, scratch.data()); });
  a.delta = delta.data(), a.delta_stride = kD;
  Measure("add, norm to qd8", kT * kD, [&] { NormRows(a, 0, kT, scratch.data()); });
  a.out = rows.Of(RowType::kQs8);
  Measure("add, norm to qs8", kT * kD, [&] { NormRows(a, 0, kT, scratch.data()); });
  a.out = rows.Of(RowType::kF32);
  Measure("add, norm to f32", kT * kD, [&] { NormRows(a, 0, kT, scratch.data()); });
  a.gamma = gamma.data(), a.beta = gamma.data();
  a.out = rows.Of(RowType::kQd8);
  Measure("add, norm, affine to qd8", kT * kD, [&] { NormRows(a, 0, kT, scratch.data()); });
}

void MeasureQuantize() {
  const std::vector<float> x = Random(kT * kD, 1);
  Rows rows(kT, kD);
  Measure("quantize to qd8", kT * kD, [&] { QuantizeRows(x.data(), kD, kD, rows.Of(RowType::kQd8), 0, kT); });
  Measure("quantize to qs8", kT * kD, [&] { QuantizeRows(x.data(), kD, kD, rows.Of(RowType::kQs8), 0, kT); });
}

void MeasureActivation() {
  const std::vector<float> x = Random(kT * kM, 1.5f);
  std::vector<float> scratch(kM);
  Rows rows(kT, kM);
  const auto measure = [&](const char* name, Activation activation, RowType type) {
    const ActivationRowsArguments a = {x.data(), kM, kM, activation, false, rows.Of(type)};
    Measure(name, kT * kM, [&] { ActivationRows(a, 0, kT, scratch.data()); });
  };
  measure("gelu to qd8", Activation::kGeluErf, RowType::kQd8);
  measure("gelu to qs8", Activation::kGeluErf, RowType::kQs8);
  measure("gelu to f32", Activation::kGeluErf, RowType::kF32);
  measure("gelu tanh to f32", Activation::kGeluTanh, RowType::kF32);
  measure("quick gelu to qd8", Activation::kQuickGelu, RowType::kQd8);
  const ActivationRowsArguments a = {x.data(), kM, kM / 2, Activation::kSilu, true, rows.Of(RowType::kQd8)};
  Measure("silu, gated to qd8", kT * kM / 2, [&] { ActivationRows(a, 0, kT, scratch.data()); });
}

void MeasureAttention() {
  std::vector<float> qkv = Random(kT * 3 * kD, 1);
  for (size_t t = 0; t < kT; ++t) {
    for (size_t i = 0; i < kD; ++i) qkv[t * 3 * kD + i] *= 0.25f;
  }
  Rows rows(kT, kD);
  AttentionArguments a = {qkv.data(), 3 * kD, qkv.data() + kD, 3 * kD, qkv.data() + 2 * kD, 3 * kD, kT, kT, kH, kK,
                          rows.Of(RowType::kF32)};
  std::vector<char> packed(AttentionPackedBytes(kT, kH, kK)), scratch(AttentionScratchBytes(kT, kH, kK));
  const size_t elements = kH * kT * kT;
  Measure("attention f32: pack keys", elements, [&] {
    for (size_t head = 0; head < kH; ++head) PackAttentionHead(a, head, packed.data());
  });
  Measure("attention f32 to f32", elements, [&] { AttentionTile(a, packed.data(), 0, kT, scratch.data()); });
  a.out = rows.Of(RowType::kQd8);
  Measure("attention f32 to qd8", elements, [&] { AttentionTile(a, packed.data(), 0, kT, scratch.data()); });
  if (!HasAttentionInt8()) return;
  packed.resize(AttentionInt8PackedBytes(kT, kH, kK)), scratch.resize(AttentionInt8ScratchBytes(kT, kH, kK));
  Measure("attention int8: pack", elements, [&] {
    for (size_t head = 0; head < kH; ++head) PackAttentionInt8Head(a, head, packed.data(), scratch.data());
  });
  Measure("attention int8 to qd8", elements, [&] { AttentionInt8Tile(a, packed.data(), 0, kT, scratch.data()); });
}

void MeasureLinear() {
  if (!HasLinearInt8()) return;
  const std::vector<int8_t> input(kT * kD, 3), weight(3 * kD * kD, 5);
  const std::vector<float> scales(3 * kD, 0.01f);
  const std::vector<RowQuantization> quantization(kT, {3, 0.03f});
  std::vector<char> packed(LinearInt8PackedBytes(3 * kD, kD)), scratch(LinearInt8ScratchBytes(kD));
  std::vector<float> out(kT * 3 * kD);
  const LinearInt8Weights weights = {weight.data(), scales.data(), nullptr, 3 * kD, kD};
  Measure("linear int8: pack", weight.size(), [&] { PackLinearInt8(weights, LinearInt8Group(), packed.data()); });
  const LinearInt8Arguments a = {input.data(), kD, quantization.data(), packed.data(), out.data(), 3 * kD, 3 * kD, kD};
  Measure("linear int8, qkv", kT * weight.size(), [&] { LinearInt8Tile(a, 0, kT, 0, 3 * kD, scratch.data()); });
}

void MeasureRest() {
  const std::vector<float> x = Random(kT * kD, 1);
  std::vector<float> out(kD);
  Measure("softmax", kD, [&] { SoftmaxRow(x.data(), kD, out.data()); });
  Measure("mean of rows", kT * kD, [&] { MeanRows(x.data(), kD, nullptr, kD, 0, kT, out.data()); });
  const std::vector<uint8_t> pixels(224 * 224 * 3, 100);
  Rows rows(196, 768);
  const PixelsToRowsArguments a = {pixels.data(), 224, 224, 3, 16, 16, 0, rows.Of(RowType::kQd8)};
  Measure("pixels to qd8", pixels.size(), [&] { PixelsToRows(a, 0, 196); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) repeats = std::atoi(argv[1]);
  if (argc > 2) only = argv[2];
  MeasureNorm();
  MeasureQuantize();
  MeasureActivation();
  MeasureAttention();
  MeasureLinear();
  MeasureRest();
  return 0;
}
