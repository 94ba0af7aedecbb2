// SPDX-License-Identifier: Apache-2.0
// The plots of the report, as SVG.
#include <algorithm>
#include <cmath>
#include <vector>

#include "converter/report/report.h"
#include "pages/pages.h"

namespace vitrine {
namespace {

constexpr Precision kStatic = {"static int8", "static"}, kDynamic = {"dynamic int8", "dynamic"},
                    kFour = {"4-bit weights", "four"}, kFloat = {"f32", "float"};

std::string Legend(const ConversionSummary& s) {
  std::string html = "<p class=note>";
  for (const Precision* precision : {&kStatic, &kDynamic, &kFour, &kFloat}) {
    const bool used = std::any_of(s.operators.begin(), s.operators.end(), [&](const OperatorSummary& op) {
      return &PrecisionOf(op.type) == precision;
    });
    if (used) html += Format("<span class=key><i class=%s></i>%s</span>", precision->colour, precision->name);
  }
  return html + "</p>\n";
}

/// Returns the top of the axis: a little above nine tenths of the operators that are not exact. The bars of the others,
/// which would leave little room, are cut off.
double TopOfAxis(const ConversionSummary& s) {
  constexpr double kExact = 200;
  std::vector<double> sorted;
  for (const OperatorSummary& op : s.operators) {
    if (op.sqnr_db < kExact) sorted.push_back(op.sqnr_db);  // nor NaN
  }
  std::sort(sorted.begin(), sorted.end());
  const double usual = sorted.empty() ? 0 : sorted[sorted.size() * 9 / 10];
  return 10 * std::ceil(std::clamp(1.1 * usual, 20.0, 160.0) / 10);
}

constexpr double kWidth = 1000, kHeight = 280, kLeft = 44, kTop = 10, kBottom = kHeight - 36;

/// Draws the horizontal lines with their decibels. `unit` is the height of one decibel.
std::string Axis(double top, double unit) {
  std::string svg;
  for (int db = 0; db <= static_cast<int>(top); db += top > 70 ? 20 : 10) {
    const double y = kBottom - db * unit;
    svg += Format("<line class=axis x1=%g x2=%g y1=%.1f y2=%.1f /><text class=soft x=0 y=%.1f>%d dB</text>\n",
                  kLeft, kWidth, y, y, y + 4, db);
  }
  return svg;
}

/// Draws the vertical line at the start of a block.
std::string BlockStart(double x, int block) {
  return Format("<line class=axis x1=%.1f x2=%.1f y1=%g y2=%g /><text class=soft x=%.1f y=%g>%s%d</text>\n",
                x, x, kTop, kBottom + 4, x, kBottom + 16, block == 1 ? "block " : "", block);
}

}  // namespace

const Precision& PrecisionOf(const std::string& type) {
  if (type == "int8") return kDynamic;
  if (type.find("qb4w") != std::string::npos) return kFour;
  if (type.starts_with("qs8") || type.ends_with("qs8")) return kStatic;
  if (type.starts_with("qd8") || type.ends_with("qd8")) return kDynamic;
  return kFloat;
}

std::string PlotOfSqnr(const ConversionSummary& s) {
  const double top = TopOfAxis(s), unit = (kBottom - kTop) / top,
               step = (kWidth - kLeft) / static_cast<double>(s.operators.size());
  std::string svg = Format(
      "<div class=\"card wide\"><svg viewBox=\"0 0 %g %g\" role=img aria-label=\"SQNR of each operator\">\n",
      kWidth, kHeight - 16);
  svg += Axis(top, unit);
  int block = 0;
  for (size_t i = 0; i < s.operators.size(); ++i) {
    const OperatorSummary& op = s.operators[i];
    const double x = kLeft + static_cast<double>(i) * step;
    if (op.layer.block > block) {
      block = op.layer.block;
      svg += BlockStart(x, block);
    }
    if (std::isnan(op.sqnr_db)) continue;
    const double height = std::clamp(op.sqnr_db, 0.5, top) * unit;
    svg +=
        Format("<rect class=%s x=%.1f y=%.1f width=%.1f height=%.1f><title>%s, %s: %.1f dB</title></rect>\n",
               PrecisionOf(op.type).colour, x + 0.5, kBottom - height, std::max(1.0, step - 1), height,
               Escape(op.name).c_str(), op.type.c_str(), op.sqnr_db);
  }
  return svg + "</svg></div>\n" + Legend(s);
}

std::string PlotOfDistribution(const Distribution& d, const std::string& title) {
  constexpr double kPlotWidth = 366, kPlotHeight = 110, kFloor = kPlotHeight - 16;
  uint32_t most = 1;
  for (const uint32_t count : d.counts) most = std::max(most, count);
  const double unit = (kFloor - 14) / std::log1p(static_cast<double>(most)),
               step = kPlotWidth / Distribution::kBins;
  const std::string escaped = Escape(title);
  std::string svg =
      Format("<svg viewBox=\"0 0 %g %g\" role=img aria-label=\"%s\">\n<text class=soft x=0 y=10>%s</text>\n",
             kPlotWidth, kPlotHeight, escaped.c_str(), escaped.c_str());
  for (size_t i = 0; i < d.counts.size(); ++i) {
    if (d.counts[i] == 0) continue;
    const double height = std::log1p(static_cast<double>(d.counts[i])) * unit;
    svg += Format("<path class=dynamic d=\"M%.1f %.1fh%.1fv%.1fh-%.1fz\"><title>%u values</title></path>\n",
                  static_cast<double>(i) * step, kFloor - height, step - 1, height, step - 1, d.counts[i]);
  }
  const double reach = static_cast<double>(d.reach);
  return svg +
         Format(
             "<text class=soft x=0 y=%g>%.3g</text><text class=soft x=%g y=%g text-anchor=middle>0</text>"
             "<text class=soft x=%g y=%g text-anchor=end>%.3g</text></svg>\n",
             kPlotHeight - 3, -reach, kPlotWidth / 2, kPlotHeight - 3, kPlotWidth, kPlotHeight - 3, reach);
}

}  // namespace vitrine
