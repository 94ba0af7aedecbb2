// SPDX-License-Identifier: Apache-2.0
#include "converter/report_page.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace vitrine {
namespace {

template <typename... Values>
std::string Format(const char* format, Values... values) {
  char text[1024];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

std::string Escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

constexpr char kHead[] = R"(<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root { color-scheme: light dark; --ink: light-dark(#1a1a1a, #e8e8e8); --faint: light-dark(#d8d8d8, #444); --mark: light-dark(#0a6, #3d9); --bad: light-dark(#c30, #f75); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: var(--ink); }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.5rem } dt { opacity: .7 } dd { margin: 0; overflow-wrap: anywhere }
svg { width: 100%; height: auto } .axis { stroke: var(--faint) } text { fill: var(--ink); font-size: 11px }
.bar { fill: var(--mark) } .bar:hover { opacity: .6 } .low { fill: var(--bad) }
table { border-collapse: collapse; width: 100%; font-size: 13px } td, th { text-align: left; padding: .15rem .6rem .15rem 0; border-bottom: 1px solid var(--faint) }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
</style>
)";

/// SQNR at each operator's output, in the order in which they run.
std::string Plot(const ConversionSummary& s) {
  constexpr double kWidth = 900, kHeight = 260, kLeft = 36, kTop = 10, kBottom = 24;
  double most = 20;
  for (const OperatorSummary& op : s.operators) {
    if (!std::isnan(op.sqnr_db)) most = std::max(most, std::min(op.sqnr_db, 140.0));
  }
  const double unit = (kHeight - kTop - kBottom) / most,
               step = (kWidth - kLeft) / static_cast<double>(s.operators.size());
  std::string svg = Format("<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"SQNR of each operator\">\n",
                           kWidth, kHeight);
  const int spacing = most > 70 ? 20 : 10;
  for (int db = 0; db <= static_cast<int>(most); db += spacing) {
    const double y = kHeight - kBottom - db * unit;
    svg += Format(
        "<line class=\"axis\" x1=\"%g\" x2=\"%g\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"0\" y=\"%.1f\">%d "
        "dB</text>\n",
        kLeft, kWidth, y, y, y + 4, db);
  }
  for (size_t i = 0; i < s.operators.size(); ++i) {
    const OperatorSummary& op = s.operators[i];
    if (std::isnan(op.sqnr_db)) continue;
    const double height = std::clamp(op.sqnr_db, 0.5, most) * unit;
    svg += Format(
        "<rect class=\"bar%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>%s, %s: %.1f "
        "dB</title></rect>\n",
        op.sqnr_db < 20 ? " low" : "", kLeft + static_cast<double>(i) * step, kHeight - kBottom - height,
        std::max(1.0, step - 1), height, Escape(op.name).c_str(), op.type.c_str(), op.sqnr_db);
  }
  return svg + Format(
                   "<text x=\"%g\" y=\"%g\">first operator</text><text x=\"%g\" y=\"%g\" "
                   "text-anchor=\"end\">last</text></svg>\n",
                   kLeft, kHeight - 6, kWidth, kHeight - 6);
}

std::string Table(const ConversionSummary& s) {
  std::string html =
      "<table><tr><th>operator<th>kind<th>type<th class=n>million MACs<th class=n>parameters<th class=n>SQNR "
      "dB\n";
  for (const OperatorSummary& op : s.operators) {
    html += Format("<tr><td>%s<td>%s<td>%s<td class=n>%.1f<td class=n>%lld<td class=n>%s\n",
                   Escape(op.name).c_str(), op.kind.c_str(), op.type.c_str(),
                   static_cast<double>(op.macs) / 1e6, static_cast<long long>(op.parameters),
                   std::isnan(op.sqnr_db) ? "" : Format("%.1f", op.sqnr_db).c_str());
  }
  return html + "</table>\n";
}

}  // namespace

std::string PageOf(const ConversionSummary& s) {
  std::string html = kHead;
  html += "<title>" + Escape(s.output.filename().string()) + ": vitrine conversion report</title>\n";
  html += "<h1>" + Escape(s.output.filename().string()) + "</h1>\n<dl>";
  const auto row = [&](const char* name, const std::string& value) {
    html += std::string("<dt>") + name + "<dd>" + Escape(value) + "\n";
  };
  row("model", s.family + Format(", %d blocks of width %d, %d heads", s.depth, s.width, s.heads));
  row("image", s.preprocessing);
  row("recipe", s.recipe);
  const LevelSummary& first = s.levels.front();
  row("fidelity", Format("%.1f dB against f32", first.sqnr_db) +
                      (s.classes > 0 ? Format(", same class on %.1f %%", 100 * first.agreement) : "") +
                      Format(", on %d %s", s.fidelity.images,
                             s.fidelity.synthetic ? "patterns made by the converter" : "photos"));
  for (const LevelSummary& level : s.levels) {
    if (level.merged_tokens == 0) continue;
    row("token merging", Format("%d a block, %.2f G multiply-accumulates: %.1f dB", level.merged_tokens,
                                static_cast<double>(level.macs) / 1e9, level.sqnr_db) +
                             (s.classes > 0 ? Format(", same class on %.1f %%", 100 * level.agreement) : ""));
  }
  row("size", Format("%.2f MB, from a checkpoint of %.2f MB", static_cast<double>(s.file_bytes) / 1e6,
                     static_cast<double>(s.source_bytes) / 1e6));
  row("arena", Format("%.2f MB", static_cast<double>(s.arena_bytes) / 1e6));
  row("work", Format("%.2f G multiply-accumulates", static_cast<double>(s.macs) / 1e9));
  row("checkpoint", s.source_format + ", SHA-256 " + s.source_sha256);
  for (const std::string& remark : s.remarks) row("note", remark);
  html +=
      "</dl>\n<h2>What the recipe costs along the depth</h2>\n<p>Signal to noise at each operator's output "
      "against f32, with the noise of all "
      "operators before it. Below 20 dB is red.</p>\n";
  return html + Plot(s) + "<h2>Operators</h2>\n" + Table(s) + "</html>\n";
}

}  // namespace vitrine
