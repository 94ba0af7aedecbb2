// SPDX-License-Identifier: Apache-2.0
// Attention by its formula, in f64.
#include <algorithm>
#include <cmath>
#include <vector>

#include "runtime/kernels/attention.h"

namespace vitrine::kernels {
namespace {

double Dot(const float* a, const float* b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

/// Returns the relative position bias of query `row` and key `t`.
double Bias(const AttentionArguments& a, size_t row, size_t t, size_t head) {
  if (a.bias == nullptr) return 0;
  const size_t h = a.grid_height, w = a.grid_width, places = PositionBiasPlaces(h, w);
  const float* table = a.bias + head * places;
  if (row == 0) return table[places - (t == 0 ? 1 : 3)];
  if (t == 0) return table[places - 2];
  const size_t y = (row - 1) / w + h - 1 - (t - 1) / w, x = (row - 1) % w + w - 1 - (t - 1) % w;
  return table[y * (2 * w - 1) + x];
}

/// Returns the probability of each key for one head of one query row.
std::vector<double> Probabilities(const AttentionArguments& a, size_t row, size_t head) {
  const float* query = a.query + row * a.query_stride + head * a.K;
  const float* key = a.key + head * a.K;
  std::vector<double> scores(a.T);
  for (size_t t = 0; t < a.T; ++t) {
    const double size = a.size_log2 == nullptr ? 0 : a.size_log2[t] * std::log(2.0);
    scores[t] = Dot(query, key + t * a.key_stride, a.K) + Bias(a, row, t, head) + size;
  }
  const double max = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) sum += score = std::exp(score - max);
  for (double& score : scores) score /= sum;
  return scores;
}

/// Writes one head of one query row to out[0, K).
void Head(const AttentionArguments& a, size_t row, size_t head, float* out) {
  const std::vector<double> probabilities = Probabilities(a, row, head);
  const float* value = a.value + head * a.K;
  for (size_t i = 0; i < a.K; ++i) {
    double mix = 0;
    for (size_t t = 0; t < a.T; ++t) mix += probabilities[t] * value[t * a.value_stride + i];
    out[i] = static_cast<float>(mix);
  }
}

}  // namespace

void AttentionReference(const AttentionArguments& a, size_t first, size_t last, void* scratch) {
  float* out = static_cast<float*>(scratch);
  for (size_t row = first; row < last; ++row) {
    for (size_t head = 0; head < a.H; ++head) Head(a, row, head, out + head * a.K);
    WriteRowReference(out, a.H * a.K, a.out, row);
  }
}

void AttentionMeanReference(const AttentionArguments& a, size_t first, size_t last, float* mean) {
  for (size_t row = first; row < last; ++row) {
    std::vector<double> sum(a.T);
    for (size_t head = 0; head < a.H; ++head) {
      const std::vector<double> probabilities = Probabilities(a, row, head);
      for (size_t t = 0; t < a.T; ++t) sum[t] += probabilities[t];
    }
    for (size_t t = 0; t < a.T; ++t) {
      mean[row * a.T + t] = static_cast<float>(sum[t] / static_cast<double>(a.H));
    }
  }
}

}  // namespace vitrine::kernels
