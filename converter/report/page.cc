// SPDX-License-Identifier: Apache-2.0
// The report as a page: the main figures, the error and the precision by layer, the layers that lose most, the images
// that changed class, and every operator.
#include <algorithm>
#include <cmath>
#include <map>

#include "converter/report/report.h"
#include "pages/pages.h"

namespace vitrine {
namespace {

double Giga(int64_t value) { return static_cast<double>(value) / 1e9; }

std::string Tiles(const ConversionSummary& s) {
  std::string html = "<div class=tiles>";
  const auto tile = [&](const std::string& value, const char* what) {
    html += "<div class=tile><b>" + value + "</b><span>" + what + "</span></div>";
  };
  tile(Format("%.1f dB", s.levels.front().sqnr_db), "output against f32");
  if (s.classes > 0) tile(Format("%.1f%%", 100 * s.levels.front().agreement), "same class as f32");
  tile(Megabytes(s.file_bytes), "file");
  tile(Format("%.2f MB", static_cast<double>(s.arena_bytes) / 1e6), "arena (working memory)");
  tile(Format("%.2f G", Giga(s.macs)), "multiply-accumulates");
  return html + "</div>\n";
}

std::string Details(const ConversionSummary& s) {
  std::string html = "<dl>";
  const auto row = [&](const char* name, const std::string& value) {
    html += std::string("<dt>") + name + "<dd>" + Escape(value) + "\n";
  };
  row("model", s.family + Format(", %d blocks of width %d, %d %s, %d tokens", s.depth, s.width, s.heads,
                                 s.heads == 1 ? "head" : "heads", s.tokens));
  row("image", s.preprocessing);
  row("recipe", s.recipe);
  row("measured on",
      Format("%d %s", s.fidelity.images, s.fidelity.synthetic ? "synthetic test images" : "photos"));
  for (const LevelSummary& level : s.levels) {
    if (level.merged_tokens == 0) continue;
    row("token merging", Format("%d tokens merged per block, %.2f G multiply-accumulates: %.1f dB",
                                level.merged_tokens, Giga(level.macs), level.sqnr_db) +
                             (s.classes > 0 ? Format(", same class on %.1f%%", 100 * level.agreement) : ""));
  }
  row("checkpoint", Megabytes(s.source_bytes) + " " + s.source_format + ", SHA-256 " + s.source_sha256);
  for (const std::string& remark : s.remarks) row("note", remark);
  return html + "</dl>\n";
}

/// Returns what an operator's type means, and for f32 the reason.
std::string WhyOf(const OperatorSummary& op, const ConversionSummary& s) {
  const bool int8_recipe = s.recipe != "f32";
  if (op.type == "qd8_f32_qc8w")
    return "int8 weights with one scale per channel; int8 activations with one scale per token, computed "
           "while the model runs";
  if (op.type.starts_with("qs8"))
    return "int8 weights with one scale per channel; int8 activations with a fixed scale from calibration";
  if (op.type.find("qb4w") != std::string::npos)
    return "4-bit weights with one scale per block of inputs; int8 activations with one scale per token, "
           "computed while the model runs";
  if (op.type == "int8")
    return "queries, keys, values and probabilities in int8, with scales per token and head, computed while "
           "the model runs";
  if (op.kind == "Attention" && int8_recipe)
    return "f32, because int8 saves no time for few queries or with a position bias";
  if (op.kind == "Linear" && s.recipe == "mixed" && op.layer.block > 0)
    return "f32, because int8 would exceed the allowed error";
  if (op.kind == "Linear" && int8_recipe)
    return "f32, because the layer is small and close to the output: no later layer averages its rounding "
           "errors out";
  return "f32";
}

/// Returns the share of the computation of each kind and type of operator, and what the type means.
std::string Types(const ConversionSummary& s) {
  std::map<std::pair<std::string, std::string>, std::pair<int64_t, std::string>> shares;
  for (const OperatorSummary& op : s.operators) {
    if (op.macs == 0) continue;
    auto& [macs, why] = shares[{op.kind, op.type}];
    macs += op.macs;
    why = WhyOf(op, s);
  }
  std::string html = "<div class=wide><table><tr><th>kind<th>type<th class=n>share<th>meaning\n";
  for (const auto& [name, share] : shares) {
    const double percent =
        100.0 * static_cast<double>(share.first) / static_cast<double>(std::max<int64_t>(1, s.macs));
    html += Format("<tr><td>%s<td>%s<td class=n>%s<td>", name.first.c_str(), name.second.c_str(),
                   percent < 0.05 ? "below 0.1%" : Format("%.1f%%", percent).c_str()) +
            Escape(share.second) + "\n";
  }
  return html + "</table></div>\n";
}

std::string OutliersOf(const Distribution& d, const char* channel) {
  if (d.outliers.empty() || d.median_channel <= 0) return "";
  std::string text = Format("Largest %ss, relative to the median %s: ", channel, channel);
  for (const Distribution::Channel& c : d.outliers)
    text += Format("%s%d (%.1f&times;)", &c == &d.outliers.front() ? "" : ", ", c.index,
                   static_cast<double>(c.largest / d.median_channel));
  return "<p class=note>" + text + "</p>\n";
}

/// Returns the indices of the operators with the largest error, the largest first.
std::vector<int> WorstOf(const ConversionSummary& s) {
  constexpr size_t kShown = 6;
  std::vector<int> worst;
  for (size_t i = 0; i < s.operators.size(); ++i) {
    const OperatorSummary& op = s.operators[i];
    if (!std::isnan(op.sqnr_db) && !op.values.outliers.empty()) worst.push_back(static_cast<int>(i));
  }
  const auto sqnr = [&](int i) { return s.operators[static_cast<size_t>(i)].sqnr_db; };
  std::stable_sort(worst.begin(), worst.end(), [&](int a, int b) { return sqnr(a) < sqnr(b); });
  worst.resize(std::min(worst.size(), kShown));
  return worst;
}

/// Returns the distributions of the worst operators' outputs and weights.
std::string Worst(const ConversionSummary& s) {
  const std::vector<int> worst = WorstOf(s);
  const std::vector<Distribution> weights = WeightsOf(s.output, worst);
  std::string html = "<div class=cards>\n";
  for (size_t i = 0; i < worst.size(); ++i) {
    const OperatorSummary& op = s.operators[static_cast<size_t>(worst[i])];
    html += "<div class=card><h3>" + Escape(op.name) + Format(": %.1f dB</h3>\n", op.sqnr_db);
    html += PlotOfDistribution(op.values, "output in f32") + OutliersOf(op.values, "channel");
    if (!weights[i].outliers.empty())
      html += PlotOfDistribution(weights[i], "weights, " + op.type) + OutliersOf(weights[i], "row");
    html += "</div>\n";
  }
  return html + "</div>\n";
}

/// Returns the pixels [height, width, channels] as a data URI, reduced until no side has more than 128 pixels. Empty
/// unless there are 1 or 3 channels.
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
  return PngUri(rgb, w, h);
}

std::string Shares(const ConversionSummary& s, const char* title, const char* colour,
                   const std::vector<Guess>& top) {
  std::string html = Format("<p class=note>%s</p><div class=share>", title);
  for (const Guess& guess : top) {
    const double percent = 100 * static_cast<double>(guess.probability);
    html +=
        "<span>" + Escape(LabelOf(s, guess.index)) +
        Format("</span><i class=%s style=\"width:%.1f%%\"></i><span>%.1f%%</span>", colour, percent, percent);
  }
  return html + "</div>\n";
}

std::string Changed(const ConversionSummary& s) {
  if (s.classes == 0) return "";
  if (s.fidelity.changed.empty())
    return Format("<p>None: all %d images have the same class as in f32.</p>\n", s.fidelity.images);
  const int channels =
      static_cast<int>(s.fidelity.changed.front().pixels.size()) / (s.image_height * s.image_width);
  std::string html = "<div class=cards>\n";
  for (const ChangedImage& image : s.fidelity.changed) {
    const std::string picture = PictureOf(image.pixels, s.image_height, s.image_width, channels);
    html += "<div class=card>" + (picture.empty() ? "" : "<img alt=\"\" src=\"" + picture + "\">") + "<h3>" +
            Escape(image.name) + "</h3>\n" + Shares(s, "f32", "float", image.expected) +
            Shares(s, s.recipe.c_str(), "dynamic", image.found) + "</div>\n";
  }
  return html + "</div>\n";
}

std::string Table(const ConversionSummary& s) {
  std::string html =
      "<div class=wide><table><tr><th>operator<th>kind<th>type<th class=n>M MACs<th class=n>parameters"
      "<th class=n>SQNR dB\n";
  for (const OperatorSummary& op : s.operators) {
    html += Format("<tr><td>%s<td>%s<td>%s<td class=n>%.1f<td class=n>%lld<td class=n>%s\n",
                   Escape(op.name).c_str(), op.kind.c_str(), op.type.c_str(), 1e3 * Giga(op.macs),
                   static_cast<long long>(op.parameters),
                   std::isnan(op.sqnr_db) ? "" : Format("%.1f", op.sqnr_db).c_str());
  }
  return html + "</table></div>\n";
}

std::string Section(const char* title, const char* lead, const std::string& content) {
  if (content.empty()) return "";
  return std::string("<h2>") + title + "</h2>\n" + (*lead ? std::string("<p>") + lead + "</p>\n" : "") +
         content;
}

}  // namespace

std::string PageOf(const ConversionSummary& s) {
  return StartPage(s.output.filename().string() + ": conversion report") + Tiles(s) + Details(s) +
         Section("Error by layer",
                 "Signal-to-noise ratio (SQNR) of each operator's output against f32; higher is better. It "
                 "includes the errors of all operators before it.",
                 PlotOfSqnr(s)) +
         Section("Precision by layer", "The share is of the multiply-accumulates (MACs).", Types(s)) +
         Section(
             "Layers that lose most",
             "Histograms of the operator's output for the first image, and of its weights; heights are "
             "logarithmic. If a channel has much larger values than the others, int8 has fewer steps left "
             "for the others.",
             Worst(s)) +
         Section("Images that changed class", "", Changed(s)) + Section("All operators", "", Table(s)) +
         "</html>\n";
}

}  // namespace vitrine
