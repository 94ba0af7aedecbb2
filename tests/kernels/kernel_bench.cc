// SPDX-License-Identifier: Apache-2.0
// What each kernel costs at the sizes of ViT-S/16: nanoseconds here, and instructions under an emulator that counts them
// between the marks below (a system call that no kernel knows, so it is refused and harmless elsewhere).
//   kernel_bench [REPEATS [NAME]]      REPEATS 0: once, for counting
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
#include "runtime/kernels/norm_rows.h"
#include "runtime/kernels/quantize_rows.h"

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

/// Runs a kernel that handles `elements` elements once to warm up, once between marks, and then the best of `repeats`.
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

/// Where the kernels write, in each of the three types.
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

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) repeats = std::atoi(argv[1]);
  if (argc > 2) only = argv[2];
  MeasureNorm();
  MeasureQuantize();
  return 0;
}
