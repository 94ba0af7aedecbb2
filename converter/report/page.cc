// SPDX-License-Identifier: Apache-2.0
#include "converter/report/page.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "converter/report/html.h"
#include "converter/report/plots.h"

namespace vitrine {
namespace {

constexpr char kHead[] = R"(<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root { color-scheme: light dark; --ink: light-dark(#1a1a1a, #e8e8e8); --faint: light-dark(#d8d8d8, #444); --card: light-dark(#f6f6f6, #222); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: var(--ink) }
h1 { font-size: 1.4rem; overflow-wrap: anywhere } h2 { font-size: 1.1rem; margin-top: 2.5rem } h3 { font-size: 1rem; margin: 0 0 .4rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.5rem } dt { opacity: .7 } dd { margin: 0; overflow-wrap: anywhere }
.tiles { display: flex; flex-wrap: wrap; gap: .8rem } .tile { background: var(--card); border-radius: .5rem; padding: .6rem 1rem; flex: 1 1 7rem }
.tile b { display: block; font-size: 1.5rem; white-space: nowrap } .tile span { opacity: .7 }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(24rem, 100%), 1fr)); gap: 1rem }
.card { background: var(--card); border-radius: .5rem; padding: .8rem 1rem; min-width: 0 } .card p { margin: .3rem 0; font-size: 13px }
.card img { float: right; margin: 0 0 .5rem .8rem; border-radius: .3rem }
svg { width: 100%; height: auto } .long { min-width: 44rem } .axis { stroke: var(--faint) } text { fill: var(--ink); font-size: 11px }
.static { fill: #0a8f5b; background: #0a8f5b } .dynamic { fill: #3b82d0; background: #3b82d0 } .four { fill: #b05cc6; background: #b05cc6 } .float { fill: #d09020; background: #d09020 }
rect:hover, path:hover { opacity: .6 } .key { display: inline-block; width: .8em; height: .8em; border-radius: .15em; margin: 0 .3em 0 1em } .legend { margin: 0 }
.share { display: grid; grid-template-columns: 8rem 1fr 4rem; gap: .1rem .5rem; font-size: 13px } .share i { display: block; height: .7em; margin-top: .35em; border-radius: .2em }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-size: 13px } td, th { text-align: left; padding: .15rem .6rem .15rem 0; border-bottom: 1px solid var(--faint) }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
</style>
)";

std::string Megabytes(uint64_t bytes) { return Format("%.1f MB", static_cast<double>(bytes) / 1e6); }

std::string Tiles(const ConversionSummary& s) {
  std::string html = "<div class=tiles>";
  const auto tile = [&](const std::string& value, const char* what) {
    html += "<div class=tile><b>" + value + "</b><span>" + what + "</span></div>";
  };
  tile(Format("%.1f dB", s.levels.front().sqnr_db), "output against f32");
  if (s.classes > 0) tile(Format("%.1f%%", 100 * s.levels.front().agreement), "same class as f32");
  tile(Megabytes(s.file_bytes), "file");
  tile(Format("%.2f MB", static_cast<double>(s.arena_bytes) / 1e6), "arena");
  tile(Format("%.2f G", static_cast<double>(s.macs) / 1e9), "multiply-accumulates");
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
      Format("%d %s", s.fidelity.images, s.fidelity.synthetic ? "patterns made by the converter" : "photos"));
  for (const LevelSummary& level : s.levels) {
    if (level.merged_tokens == 0) continue;
    row("token merging", Format("%d a block, %.2f G multiply-accumulates: %.1f dB", level.merged_tokens,
                                static_cast<double>(level.macs) / 1e9, level.sqnr_db) +
                             (s.classes > 0 ? Format(", same class on %.1f%%", 100 * level.agreement) : ""));
  }
  row("checkpoint", Megabytes(s.source_bytes) + " " + s.source_format + ", SHA-256 " + s.source_sha256);
  for (const std::string& remark : s.remarks) row("note", remark);
  return html + "</dl>\n";
}

/// What a type means and why operators have it.
std::string WhyOf(const OperatorSummary& op, const ConversionSummary& s) {
  const bool int8_recipe = s.recipe != "f32";
  if (op.type == "qd8_f32_qc8w")
    return "int8 weights, a scale for each channel; activations int8, a scale for each token, found while "
           "running";
  if (op.type.starts_with("qs8"))
    return "int8 weights, a scale for each channel; activations int8 with the scale that calibration found";
  if (op.type.find("qb4w") != std::string::npos)
    return "4-bit weights, a scale for each block of inputs; activations int8, found while running";
  if (op.type == "int8")
    return "queries, keys, values and probabilities int8, scales for each token and head, found while "
           "running";
  if (op.kind == "Attention" && int8_recipe)
    return "f32: so few queries, or a position bias, that int8 would cost more than it saves";
  if (op.kind == "Linear" && s.recipe == "mixed" && op.name.starts_with("block "))
    return "f32: in int8 it costs more than the budget leaves";
  if (op.kind == "Linear" && int8_recipe)
    return "f32: a small layer that is read last, whose rounding nothing behind it averages out";
  return "f32";
}

/// How the multiply-accumulates divide among kinds and types, and why.
std::string Types(const ConversionSummary& s) {
  std::map<std::pair<std::string, std::string>, std::pair<int64_t, std::string>> shares;
  for (const OperatorSummary& op : s.operators) {
    if (op.macs == 0) continue;
    auto& [macs, why] = shares[{op.kind, op.type}];
    macs += op.macs;
    why = WhyOf(op, s);
  }
  std::string html = "<dl>";
  for (const auto& [name, share] : shares) {
    html +=
        Format("<dt>%s, %s<dd>%.1f%% of the work. ", name.first.c_str(), name.second.c_str(),
               100.0 * static_cast<double>(share.first) / static_cast<double>(std::max<int64_t>(1, s.macs))) +
        Escape(share.second) + "\n";
  }
  return html + "</dl>\n";
}

std::string OutliersOf(const Distribution& d, const char* channel) {
  if (d.outliers.empty() || d.median_channel <= 0) return "";
  std::string text = Format("%ss that reach furthest, and how many times the median one: ", channel);
  for (const Distribution::Channel& c : d.outliers)
    text += Format("%s%d (%.1f)", &c == &d.outliers.front() ? "" : ", ", c.index,
                   static_cast<double>(c.largest / d.median_channel));
  return "<p>" + text + "</p>\n";
}

/// The operators whose output is furthest from f32, and what they work on.
std::string Worst(const ConversionSummary& s, const Program& program) {
  std::vector<const OperatorSummary*> worst;
  for (const OperatorSummary& op : s.operators) {
    if (!std::isnan(op.sqnr_db) && !op.values.outliers.empty()) worst.push_back(&op);
  }
  constexpr size_t kShown = 6;
  std::stable_sort(worst.begin(), worst.end(),
                   [](const auto* a, const auto* b) { return a->sqnr_db < b->sqnr_db; });
  worst.resize(std::min(worst.size(), kShown));
  std::string html = "<div class=cards>\n";
  for (const OperatorSummary* op : worst) {
    html += "<div class=card><h3>" + Escape(op->name) +
            Format(", %s: %.1f dB</h3>\n", op->type.c_str(), op->sqnr_db);
    html += PlotOfDistribution(op->values, "what it gives in f32") + OutliersOf(op->values, "channel");
    const Distribution weights = WeightsOf(program, static_cast<int>(op - s.operators.data()));
    if (!weights.outliers.empty())
      html += PlotOfDistribution(weights, "its weights") + OutliersOf(weights, "output");
    html += "</div>\n";
  }
  return html + "</div>\n";
}

std::string Shares(const ConversionSummary& s, const char* title, const char* colour,
                   const std::vector<Guess>& top) {
  std::string html = Format("<p>%s</p><div class=share>", title);
  for (const Guess& guess : top) {
    const size_t index = static_cast<size_t>(guess.index);
    const std::string label = index < s.labels.size() ? s.labels[index] : Format("class %d", guess.index);
    const double percent = 100 * static_cast<double>(guess.probability);
    html += "<span>" + Escape(label) +
            Format("</span><i class=%s style=\"width:%.1f%%\"></i><span>%.1f%%</span>", colour, percent,
                   percent);
  }
  return html + "</div>\n";
}

std::string Changed(const ConversionSummary& s) {
  if (s.classes == 0) return "";
  if (s.fidelity.changed.empty()) return Format("<p>None: all %d have f32's class.</p>\n", s.fidelity.images);
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
      "<div class=wide><table><tr><th>operator<th>kind<th>type<th class=n>million MACs<th "
      "class=n>parameters<th class=n>SQNR "
      "dB\n";
  for (const OperatorSummary& op : s.operators) {
    html += Format("<tr><td>%s<td>%s<td>%s<td class=n>%.1f<td class=n>%lld<td class=n>%s\n",
                   Escape(op.name).c_str(), op.kind.c_str(), op.type.c_str(),
                   static_cast<double>(op.macs) / 1e6, static_cast<long long>(op.parameters),
                   std::isnan(op.sqnr_db) ? "" : Format("%.1f", op.sqnr_db).c_str());
  }
  return html + "</table></div>\n";
}

std::string Section(const char* title, const char* lead, const std::string& content) {
  return content.empty() ? ""
                         : std::string("<h2>") + title + "</h2>\n" +
                               (*lead ? std::string("<p>") + lead + "</p>\n" : "") + content;
}

}  // namespace

std::string PageOf(const ConversionSummary& s, const Program& program) {
  const std::string name = Escape(s.output.filename().string());
  return kHead + ("<title>" + name + ": vitrine conversion report</title>\n<h1>" + name + "</h1>\n") +
         Tiles(s) + Details(s) +
         Section("What the recipe costs along the depth",
                 "Signal to noise at each operator's output against f32, with the noise of all operators "
                 "before it.",
                 PlotOfSqnr(s)) +
         Section("What runs in which type, and why", "", Types(s)) +
         Section("Where it costs most",
                 "Values of the first image; heights are logarithmic. A channel that reaches far beyond "
                 "the others takes the steps that they would need.",
                 Worst(s, program)) +
         Section("Images that changed class", "", Changed(s)) + Section("Operators", "", Table(s)) +
         "</html>\n";
}

}  // namespace vitrine
