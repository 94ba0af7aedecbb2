// SPDX-License-Identifier: Apache-2.0
#include "runtime/image/taps.h"

#include <algorithm>
#include <cmath>

namespace vitrine {
namespace {

constexpr double kPi = 3.14159265358979323846;

double Bilinear(double x) {
  x = std::fabs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

double Box(double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }

double Hamming(double x) {
  x = std::fabs(x);
  if (x == 0.0) return 1.0;
  if (x >= 1.0) return 0.0;
  x *= kPi;
  return std::sin(x) / x * (0.54f + 0.46f * std::cos(x));  // Pillow's constants are floats too
}

/// Keys' cubic convolution with a = -0.5.
double Bicubic(double x) {
  constexpr double a = -0.5;
  x = std::fabs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

double Sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= kPi;
  return std::sin(x) / x;
}

double Lanczos(double x) { return -3.0 <= x && x < 3.0 ? Sinc(x) * Sinc(x / 3) : 0.0; }

struct Filter {
  double (*weight)(double distance);
  double reach;  // source samples on either side, when enlarging
};

Filter FilterOf(Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::kLanczos:
      return {Lanczos, 3.0};
    case Interpolation::kBilinear:
      return {Bilinear, 1.0};
    case Interpolation::kBicubic:
      return {Bicubic, 2.0};
    case Interpolation::kHamming:
      return {Hamming, 1.0};
    case Interpolation::kBox:
    case Interpolation::kNearest:
      break;
  }
  return {Box, 0.5};
}

int32_t ToFixedPoint(double weight) {
  const double scaled = weight * (1 << kWeightBits);
  return static_cast<int32_t>(weight < 0 ? scaled - 0.5 : scaled + 0.5);
}

/// The source samples that one target sample is made of: [first, end).
struct Window {
  double center;
  int first;
  int end;
};

/// Calls `visit(target, window)` for every kept sample: the source sample whose cell holds the target's
/// center. Pillow adds the scale up step by step, with the rounding errors that this makes; a position that
/// they carry past the end has no sample and comes out black.
template <typename Visit>
void ForEachNearest(const LineResize& line, Visit visit) {
  const double scale = static_cast<double>(line.source) / line.target;
  double position = scale * 0.5;
  for (int i = 0; i < line.begin + line.count; ++i, position += scale) {
    if (i < line.begin) continue;
    const int sample = static_cast<int>(position);
    const bool inside = sample < line.source;
    visit(i - line.begin,
          Window{position, inside ? sample : line.source - 1, inside ? sample + 1 : line.source - 1});
  }
}

/// A filter stretched to a resize's scale. Shrinking widens it, enlarging leaves it as it is.
class StretchedFilter {
 public:
  explicit StretchedFilter(const LineResize& line)
      : line_(line),
        filter_(FilterOf(line.interpolation)),
        scale_(static_cast<double>(line.source) / line.target),
        reach_(filter_.reach * std::max(scale_, 1.0)),
        narrowing_(1.0 / std::max(scale_, 1.0)) {}

  /// Calls `visit(target, window)` for every kept sample: the source samples that the filter covers.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (int i = 0; i < line_.count; ++i) {
      const double center = (line_.begin + i + 0.5) * scale_;
      const int first = std::max(static_cast<int>(center - reach_ + 0.5), 0);
      visit(i, Window{center, first, std::min(static_cast<int>(center + reach_ + 0.5), line_.source)});
    }
  }

  double Weight(const Window& window, int sample) const {
    return filter_.weight((sample - window.center + 0.5) * narrowing_);
  }

 private:
  LineResize line_;
  Filter filter_;
  double scale_, reach_, narrowing_;
};

bool IsOneToOne(const LineResize& line) {
  return line.source == line.target || line.interpolation == Interpolation::kNearest;
}

template <typename Visit>
void ForEachWindow(const LineResize& line, Visit visit) {
  if (IsOneToOne(line)) {
    ForEachNearest(line, visit);
  } else {
    StretchedFilter(line).ForEach(visit);
  }
}

}  // namespace

Taps MeasureTaps(const LineResize& line) {
  Taps taps;
  taps.count = line.count;
  taps.identity = line.source == line.target;
  taps.source_begin = line.source;
  int previous = line.source;
  ForEachWindow(line, [&taps, &previous](int, const Window& window) {
    taps.widest_of_two = std::max(taps.widest_of_two, window.end - std::min(previous, window.first));
    previous = window.first;
    taps.source_begin = std::min(taps.source_begin, window.first);
    taps.source_end = std::max(taps.source_end, window.end);
    taps.widest = std::max(taps.widest, window.end - window.first);
  });
  taps.stride = std::max(1, (taps.widest + kTapGroup - 1) / kTapGroup) * kTapGroup;
  return taps;
}

void ComputeTaps(const LineResize& line, const Taps& taps) {
  const StretchedFilter filter(line);
  ForEachWindow(line, [&](int target, const Window& window) {
    taps.first[target] = window.first;
    taps.used[target] = window.end - window.first;
    int32_t* weight = taps.weights + static_cast<ptrdiff_t>(target) * taps.stride;
    std::fill_n(weight, taps.stride, 0);
    if (IsOneToOne(line)) {
      if (window.end > window.first) *weight = 1 << kWeightBits;
      return;
    }
    // Weights sum to one before they are rounded. They are computed twice, which needs no memory.
    double sum = 0.0;
    for (int sample = window.first; sample < window.end; ++sample) sum += filter.Weight(window, sample);
    for (int sample = window.first; sample < window.end; ++sample) {
      const double share = filter.Weight(window, sample);
      *weight++ = ToFixedPoint(sum != 0.0 ? share / sum : share);
    }
  });
}

}  // namespace vitrine
