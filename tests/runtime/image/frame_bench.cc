// SPDX-License-Identifier: Apache-2.0
// Measures preprocessing of a 1280 x 720 frame to 224 x 224: microseconds on this machine, and instructions
// under the emulator, which counts them between the marks (see kernel_bench.cc).
//   frame_bench [REPEATS]      REPEATS 0: run once, for counting
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "runtime/image/preprocess.h"

namespace {

using namespace vitrine;
using Clock = std::chrono::steady_clock;

void Measure(const char* name, int label, const ImageView& view, int repeats) {
  Preprocessor preprocessor = std::move(Preprocessor::Create({})).value();
  std::vector<uint8_t> out(preprocessor.output_bytes());
  if (!preprocessor.Run(view, out.data()).ok()) std::abort();
  syscall(9001, 1, label);
  (void)preprocessor.Run(view, out.data());
  syscall(9001, 2, label);
  double best = 1e30;
  for (int i = 0; i < repeats; ++i) {
    const auto start = Clock::now();
    (void)preprocessor.Run(view, out.data());
    best = std::min(best, std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  std::printf("%d %-6s %9.1f us\n", label, name, repeats == 0 ? 0 : best);
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kWidth = 1280, kHeight = 720;
  const int repeats = argc > 1 ? std::atoi(argv[1]) : 100;
  std::vector<uint8_t> bytes(size_t{3} * kWidth * kHeight);
  uint32_t seed = 1;
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>((seed = seed * 1664525 + 1013904223) >> 24);
  const uint8_t *at = bytes.data(), *u = at + kWidth * kHeight, *v = u + kWidth * kHeight / 4;
  Measure("YUYV", 1, {at, kWidth, kHeight, 2 * kWidth, PixelFormat::kYuyv8}, repeats);
  Measure("NV12", 2, {at, kWidth, kHeight, kWidth, PixelFormat::kNv12, {u, nullptr}, kWidth}, repeats);
  Measure("I420", 3, {at, kWidth, kHeight, kWidth, PixelFormat::kI420, {u, v}, kWidth / 2}, repeats);
  Measure("RGB", 4, {at, kWidth, kHeight, 3 * kWidth, PixelFormat::kRgb8}, repeats);
  return 0;
}
