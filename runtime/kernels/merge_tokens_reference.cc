// SPDX-License-Identifier: Apache-2.0
// Token merging as in the paper, in f64.
#include <algorithm>
#include <cmath>
#include <vector>

#include "runtime/kernels/merge_tokens.h"

namespace vitrine::kernels {
namespace {

/// Returns the cosine of the angle between two tokens' keys, each averaged over the heads.
double Similarity(const MergeTokensArguments& a, size_t s, size_t t) {
  double product = 0, s_square = 0, t_square = 0;
  for (size_t k = 0; k < a.K; ++k) {
    double x = 0, y = 0;
    for (size_t h = 0; h < a.H; ++h) {
      x += a.key[s * a.key_stride + h * a.K + k];
      y += a.key[t * a.key_stride + h * a.K + k];
    }
    product += x * y, s_square += x * x, t_square += y * y;
  }
  return product / std::sqrt(s_square * t_square);
}

struct Match {
  size_t token, into;
  double similarity;
};

}  // namespace

void MergeTokensReference(const MergeTokensArguments& a) {
  std::vector<Match> matches;
  for (size_t s = a.protected_rows; s < a.T; ++s) {
    if (s % 2 != 0) continue;
    Match best = {s, 0, -2};
    for (size_t t = a.protected_rows; t < a.T; ++t) {
      if (t % 2 != 0 && Similarity(a, s, t) > best.similarity) best = {s, t, Similarity(a, s, t)};
    }
    matches.push_back(best);
  }
  std::stable_sort(matches.begin(), matches.end(),
                   [](const Match& a, const Match& b) { return a.similarity > b.similarity; });
  std::vector<size_t> into(a.T), rows;
  for (size_t t = 0; t < a.T; ++t) into[t] = t;
  for (size_t i = 0; i < a.merged; ++i) into[matches[i].token] = matches[i].into;
  for (size_t t = 0; t < a.protected_rows; ++t) rows.push_back(t);
  for (const size_t odd : {0, 1}) {
    for (size_t t = a.protected_rows; t < a.T; ++t) {
      if (t % 2 == odd && into[t] == t) rows.push_back(t);
    }
  }
  for (size_t row = 0; row < rows.size(); ++row) {
    std::vector<double> sum(a.D);
    double total = 0;
    for (size_t t = 0; t < a.T; ++t) {
      if (into[t] != rows[row]) continue;
      const double size = a.sizes == nullptr ? 1 : a.sizes[t];
      total += size;
      for (size_t i = 0; i < a.D; ++i) {
        const double delta = a.delta == nullptr ? 0 : a.delta[t * a.D + i];
        sum[i] += size * (a.tokens[t * a.D + i] + delta);
      }
    }
    for (size_t i = 0; i < a.D; ++i) a.out[row * a.D + i] = static_cast<float>(sum[i] / total);
    a.out_sizes[row] = static_cast<float>(total);
    a.out_sizes[rows.size() + row] = static_cast<float>(std::log2(total));
  }
}

}  // namespace vitrine::kernels
