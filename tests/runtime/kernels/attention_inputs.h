// SPDX-License-Identifier: Apache-2.0
// Inputs for the attention tests.
#pragma once

#include "runtime/kernels/attention.h"
#include "tests/runtime/kernels/kernel_test.h"

namespace vitrine::kernels {

struct AttentionShape {
  size_t T, Tq, H, K;
};

/// Query, key and value as columns of one matrix [T, 3 * H * K]. The memory after its last element is not
/// readable.
struct AttentionInputs {
  AttentionShape shape;
  Guarded<float> qkv;
  const float* bias = nullptr;
  size_t grid_height = 0, grid_width = 0;
  const float* size_log2 = nullptr;

  AttentionInputs(const AttentionShape& s, Generator& generator, float logit_deviation)
      : shape(s), qkv(Normal(generator, s.T * 3 * s.H * s.K, 1)) {
    const float scale = logit_deviation / std::sqrt(static_cast<float>(s.K));
    for (size_t t = 0; t < s.T; ++t) {
      for (size_t i = 0; i < s.H * s.K; ++i) qkv[t * 3 * s.H * s.K + i] *= scale;
    }
  }
  AttentionArguments Arguments(const OutputRows& out) {
    const size_t D = shape.H * shape.K;
    return {qkv.data(), 3 * D,   qkv.data() + D, 3 * D,      qkv.data() + 2 * D,
            3 * D,      shape.T, shape.Tq,       shape.H,    shape.K,
            out,        bias,    grid_height,    grid_width, size_log2};
  }
};

/// The binary logarithms of T sizes from 1 to `largest`.
inline std::vector<float> SizeLogarithms(Generator& generator, size_t T, size_t largest) {
  std::vector<float> log2(T);
  for (float& value : log2) value = std::log2(static_cast<float>(Uniform(generator, 1, largest)));
  return log2;
}

}  // namespace vitrine::kernels
