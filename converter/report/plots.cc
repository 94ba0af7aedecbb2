// SPDX-License-Identifier: Apache-2.0
#include "converter/report/plots.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "converter/report/html.h"

namespace vitrine {
namespace {

/// Classes of the page's style sheet, which has a colour for each.
const char* ColourOf(const std::string& type) {
  if (type == "int8") return "dynamic";
  if (type.find("qb4w") != std::string::npos) return "four";
  if (type.starts_with("qs8") || type.ends_with("qs8")) return "static";
  if (type.starts_with("qd8") || type.ends_with("qd8")) return "dynamic";
  return "float";
}

struct LegendEntry {
  const char *colour, *text;
};
constexpr LegendEntry kLegend[] = {
    {"static", "static int8"}, {"dynamic", "dynamic int8"}, {"four", "4-bit weights"}, {"float", "f32"}};

std::string Legend(const ConversionSummary& s) {
  std::string html = "<p class=legend>";
  for (const LegendEntry& entry : kLegend) {
    const bool used = std::any_of(s.operators.begin(), s.operators.end(), [&](const OperatorSummary& op) {
      return std::string(ColourOf(op.type)) == entry.colour;
    });
    if (used) html += Format("<span class=\"key %s\"></span>%s ", entry.colour, entry.text);
  }
  return html + "</p>\n";
}

/// "block 3 fc1" -> 3; 0 outside the blocks.
int BlockOf(const std::string& name) { return name.starts_with("block ") ? std::atoi(name.c_str() + 6) : 0; }

/// The top of the axis: what is exact, or nearly so, is cut off there and leaves room for the others.
double MostShown(const ConversionSummary& s) {
  std::vector<double> sorted;
  for (const OperatorSummary& op : s.operators) {
    if (!std::isnan(op.sqnr_db)) sorted.push_back(op.sqnr_db);
  }
  std::sort(sorted.begin(), sorted.end());
  const double usual = sorted.empty() ? 0 : sorted[sorted.size() * 9 / 10];
  return 10 * std::ceil(std::clamp(1.1 * usual, 20.0, 160.0) / 10);
}

void AppendLittleEndian(std::string* bytes, uint32_t value, int count) {
  for (int i = 0; i < count; ++i) *bytes += static_cast<char>(value >> (8 * i));
}

std::string Base64(const std::string& bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < bytes.size() ? static_cast<uint8_t>(bytes[i + j]) : 0);
    for (size_t j = 0; j < 4; ++j) text += i + j <= bytes.size() ? kDigits[group >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

/// 24 bits, rows from the bottom up, blue first.
std::string Bmp(int height, int width, const std::vector<uint8_t>& rgb) {
  const int row_bytes = (3 * width + 3) / 4 * 4, header = 54;
  std::string file = "BM";
  for (const uint32_t value : {static_cast<uint32_t>(header + row_bytes * height), 0u, 54u, 40u})
    AppendLittleEndian(&file, value, 4);
  AppendLittleEndian(&file, static_cast<uint32_t>(width), 4);
  AppendLittleEndian(&file, static_cast<uint32_t>(height), 4);
  AppendLittleEndian(&file, 1, 2);
  AppendLittleEndian(&file, 24, 2);
  file.append(24, '\0');
  for (int y = height - 1; y >= 0; --y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 2; c >= 0; --c)
        file += static_cast<char>(rgb[static_cast<size_t>((y * width + x) * 3 + c)]);
    }
    file.append(static_cast<size_t>(row_bytes - 3 * width), '\0');
  }
  return file;
}

}  // namespace

std::string PlotOfSqnr(const ConversionSummary& s) {
  constexpr double kWidth = 900, kHeight = 280, kLeft = 40, kTop = 10, kBottom = 36;
  const double most = MostShown(s);
  const double unit = (kHeight - kTop - kBottom) / most, bottom = kHeight - kBottom,
               step = (kWidth - kLeft) / static_cast<double>(s.operators.size());
  std::string svg = Format(
      "<div class=wide><svg class=long viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"SQNR of each "
      "operator\">\n",
      kWidth, kHeight);
  for (int db = 0; db <= static_cast<int>(most); db += most > 70 ? 20 : 10) {
    const double y = bottom - db * unit;
    svg += Format(
        "<line class=\"axis\" x1=\"%g\" x2=\"%g\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"0\" y=\"%.1f\">%d "
        "dB</text>\n",
        kLeft, kWidth, y, y, y + 4, db);
  }
  int block = 0;
  for (size_t i = 0; i < s.operators.size(); ++i) {
    const OperatorSummary& op = s.operators[i];
    const double x = kLeft + static_cast<double>(i) * step;
    if (BlockOf(op.name) > block) {
      block = BlockOf(op.name);
      svg += Format(
          "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%g\" y2=\"%g\"/><text x=\"%.1f\" "
          "y=\"%g\">%d</text>\n",
          x, x, kTop, bottom + 4, x, bottom + 16, block);
    }
    if (std::isnan(op.sqnr_db)) continue;
    const double height = std::clamp(op.sqnr_db, 0.5, most) * unit;
    svg += Format(
        "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>%s, %s: %.1f "
        "dB</title></rect>\n",
        ColourOf(op.type), x + 0.5, bottom - height, std::max(1.0, step - 1), height, Escape(op.name).c_str(),
        op.type.c_str(), op.sqnr_db);
  }
  return svg +
         Format("<text x=\"%g\" y=\"%g\">blocks, from the first operator to the last</text></svg></div>\n",
                kLeft, kHeight - 4) +
         Legend(s);
}

std::string PlotOfDistribution(const Distribution& d, const std::string& title) {
  constexpr double kWidth = 366, kHeight = 110, kBottom = 16;
  uint32_t most = 1;
  for (const uint32_t count : d.counts) most = std::max(most, count);
  const double unit = (kHeight - kBottom - 14) / std::log1p(static_cast<double>(most)),
               step = kWidth / Distribution::kBins;
  std::string svg =
      Format("<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"%s\">\n<text x=\"0\" y=\"10\">%s</text>\n",
             kWidth, kHeight, Escape(title).c_str(), Escape(title).c_str());
  for (size_t i = 0; i < d.counts.size(); ++i) {
    const double height = std::log1p(static_cast<double>(d.counts[i])) * unit;
    if (d.counts[i] == 0) continue;
    svg += Format(
        "<path class=\"dynamic\" d=\"M%.1f %.1fh%.1fv%.1fh-%.1fz\"><title>%u values</title></path>\n",
        static_cast<double>(i) * step, kHeight - kBottom - height, step - 1, height, step - 1, d.counts[i]);
  }
  const double reach = static_cast<double>(d.reach);
  return svg + Format(
                   "<text x=\"0\" y=\"%g\">%.3g</text><text x=\"%g\" y=\"%g\" text-anchor=\"middle\">0</text>"
                   "<text x=\"%g\" y=\"%g\" text-anchor=\"end\">%.3g</text></svg>\n",
                   kHeight - 3, -reach, kWidth / 2, kHeight - 3, kWidth, kHeight - 3, reach);
}

std::string PictureOf(std::span<const uint8_t> pixels, int height, int width, int channels) {
  if (channels != 1 && channels != 3) return "";
  constexpr int kMostSide = 128;
  const int step = (std::max(height, width) + kMostSide - 1) / kMostSide;
  const int h = height / step, w = width / step;
  std::vector<uint8_t> rgb;
  for (int y = 0; y < h; ++y) {
    for (int x = 0; x < w; ++x) {
      const size_t at = static_cast<size_t>((y * step * width + x * step) * channels);
      for (int c = 0; c < 3; ++c) rgb.push_back(pixels[at + static_cast<size_t>(channels == 3 ? c : 0)]);
    }
  }
  return "data:image/bmp;base64," + Base64(Bmp(h, w, rgb));
}

}  // namespace vitrine
