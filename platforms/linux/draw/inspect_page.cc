// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/draw/inspect_page.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "platforms/linux/cli/whole_file.h"

namespace vitrine {
namespace {

std::string Escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

template <typename... Values>
std::string Format(const char* format, Values... values) {
  char text[1024];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

constexpr char kStyle[] = R"(<style>
:root{--ink:#1d2330;--soft:#667085;--line:#d5dae3;--page:#fff;--panel:#f6f7fa}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9f0;--soft:#98a2b3;--line:#3a4252;--page:#12151c;--panel:#1b202a}}
body{margin:0 auto;max-width:1240px;padding:24px 16px;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
h1{font-size:22px;margin:0}h2{font-size:16px;margin:32px 0 4px}p{color:var(--soft);margin:0 0 8px}
.panel{background:var(--panel);border-radius:10px;padding:12px;overflow:auto}
svg{display:block}text{fill:var(--ink);font:11px system-ui,sans-serif}.soft{fill:var(--soft)}
.edge{fill:none;stroke:var(--soft);stroke-opacity:.45}.node{stroke:var(--page)}rect:hover{stroke:var(--ink);stroke-width:2}
.key{display:inline-block;margin-right:14px;color:var(--soft)}.key i{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:5px}
</style>
)";

/// A hue for each kind of operator, the same in both drawings.
std::string ColorOf(std::string_view kind) {
  constexpr std::pair<std::string_view, int> kHues[] = {
      {"Linear", 215},       {"Attention", 275},      {"Normalize", 165},  {"Activate", 35},
      {"PixelsToRows", 330}, {"Pool", 350},           {"Add", 100},        {"AddPositions", 120},
      {"MergeTokens", 5},    {"NormalizeHeads", 185}, {"RotateHeads", 60}, {"Fill", 140}};
  for (const auto& [name, hue] : kHues) {
    if (name == kind) return Format("hsl(%d 55%% 55%%)", hue);
  }
  return "hsl(0 0% 60%)";
}

std::string KeyOf(std::span<const OperatorInfo> operators) {
  std::vector<std::string_view> kinds;
  std::string html = "<p>";
  for (const OperatorInfo& op : operators) {
    if (std::find(kinds.begin(), kinds.end(), op.kind) != kinds.end()) continue;
    kinds.push_back(op.kind);
    html += "<span class=key><i style=\"background:" + ColorOf(op.kind) + "\"></i>" + op.kind + "</span>";
  }
  return html + "</p>\n";
}

/// The operator that wrote a tensor last before `index`, or -1.
int WriterOf(std::span<const OperatorInfo> operators, int tensor, int index) {
  while (--index >= 0) {
    if (operators[static_cast<size_t>(index)].writes == tensor) return index;
  }
  return -1;
}

/// One line an operator, from the top down; a line that skips operators bends around them.
std::string DrawGraph(std::span<const OperatorInfo> operators) {
  constexpr int kRow = 26, kLeft = 150, kWidth = 420;
  const int height = static_cast<int>(operators.size()) * kRow + 8;
  std::string svg =
      Format("<svg width=%d height=%d role=img aria-label=\"operators\">\n", kLeft + kWidth + 560, height);
  const auto middle = [](int index) { return index * kRow + kRow / 2 + 2; };
  for (int i = 0; i < static_cast<int>(operators.size()); ++i) {
    for (const int tensor : operators[static_cast<size_t>(i)].reads) {
      const int from = tensor < 0 ? -1 : WriterOf(operators, tensor, i);
      if (from < 0 || from == i - 1) continue;
      const int bend = kLeft - std::min(kLeft - 8, 14 + 6 * (i - from));
      svg += Format("<path class=edge d=\"M%d %d C%d %d %d %d %d %d\"/>\n", kLeft, middle(from), bend,
                    middle(from), bend, middle(i), kLeft, middle(i));
    }
  }
  double most = 1;
  for (const OperatorInfo& op : operators) most = std::max(most, static_cast<double>(op.macs));
  for (int i = 0; i < static_cast<int>(operators.size()); ++i) {
    const OperatorInfo& op = operators[static_cast<size_t>(i)];
    const double share = static_cast<double>(op.macs) / most;
    svg += Format("<line x1=%d x2=%d y1=%d y2=%d class=edge />", kLeft + 12, kLeft + 12, middle(i) - kRow / 2,
                  middle(i) + kRow / 2);
    svg += Format(
        "<rect class=node x=%d y=%d width=%d height=%d rx=5 fill=\"%s\" fill-opacity=%.2f><title>%s: %s %s, "
        "[%lld, %lld], %.2f M "
        "multiply-accumulates, %lld parameters</title></rect>",
        kLeft, middle(i) - 10, kWidth, 20, ColorOf(op.kind).c_str(), 0.35, Escape(op.name).c_str(), op.kind,
        op.type, static_cast<long long>(op.rows), static_cast<long long>(op.columns),
        static_cast<double>(op.macs) / 1e6, static_cast<long long>(op.parameters));
    svg += Format("<rect x=%d y=%d width=%.1f height=3 rx=1 fill=\"%s\"/>", kLeft, middle(i) + 7,
                  kWidth * share, ColorOf(op.kind).c_str());
    svg += Format("<text x=%d y=%d>%s</text>", kLeft + 10, middle(i) + 4, Escape(op.name).c_str());
    std::string costs = Format("%s  %s  [%lld, %lld]", op.kind, op.type, static_cast<long long>(op.rows),
                               static_cast<long long>(op.columns));
    if (op.macs > 0) costs += Format("  %.1f M MACs", static_cast<double>(op.macs) / 1e6);
    if (!std::isnan(op.sqnr_db)) costs += Format("  %.1f dB", static_cast<double>(op.sqnr_db));
    svg +=
        Format("<text class=soft x=%d y=%d>%s</text>\n", kLeft + kWidth + 12, middle(i) + 4, costs.c_str());
  }
  return svg + "</svg>\n";
}

/// Time from left to right in operators, addresses from the bottom up.
std::string DrawArena(const std::vector<BufferInfo>& buffers, std::span<const OperatorInfo> operators,
                      size_t arena_bytes) {
  constexpr double kLeft = 70, kWidth = 1120, kHeight = 420;
  const double across = kWidth / static_cast<double>(operators.size()),
               down = kHeight / static_cast<double>(arena_bytes);
  std::string svg = Format("<svg width=%.0f height=%.0f role=img aria-label=\"arena\">\n",
                           kLeft + kWidth + 10, kHeight + 40);
  for (int tick = 0; tick <= 4; ++tick) {
    const double y = 8 + kHeight * (1 - tick / 4.0);
    svg += Format(
        "<line x1=%.0f x2=%.0f y1=%.1f y2=%.1f stroke=\"var(--line)\"/><text class=soft x=%.0f y=%.1f "
        "text-anchor=end>%.2f MB</text>\n",
        kLeft, kLeft + kWidth, y, y, kLeft - 6, y + 4, static_cast<double>(arena_bytes) * tick / 4e6);
  }
  for (size_t i = 0; i < buffers.size(); ++i) {
    const BufferInfo& buffer = buffers[i];
    if (buffer.bytes == 0) continue;
    const OperatorInfo& op =
        operators[static_cast<size_t>(std::clamp(buffer.first, 0, static_cast<int>(operators.size()) - 1))];
    const double height = std::max(1.0, down * static_cast<double>(buffer.bytes));
    svg += Format(
        "<rect x=%.2f y=%.2f width=%.2f height=%.2f fill=\"%s\" fill-opacity=%s stroke=\"var(--page)\" "
        "stroke-width=.5><title>%s%s: %.1f "
        "kB at %.1f kB, from %s on, for %d operators</title></rect>\n",
        kLeft + across * buffer.first, 8 + kHeight - down * static_cast<double>(buffer.offset) - height,
        std::max(1.0, across * (buffer.last - buffer.first + 1)), height, ColorOf(op.kind).c_str(),
        buffer.is_scratch ? ".45" : ".85", buffer.is_scratch ? "scratch of " : "",
        Escape(buffer.name).c_str(), static_cast<double>(buffer.bytes) / 1e3,
        static_cast<double>(buffer.offset) / 1e3, Escape(op.name).c_str(), buffer.last - buffer.first + 1);
  }
  svg += Format(
      "<text class=soft x=%.0f y=%.0f>first operator</text><text class=soft x=%.0f y=%.0f "
      "text-anchor=end>last</text>\n",
      kLeft, kHeight + 30, kLeft + kWidth, kHeight + 30);
  return svg + "</svg>\n";
}

}  // namespace

void WriteInspectPage(const Model& model, const Session& session, std::span<const OperatorInfo> operators,
                      const std::string& title, const std::string& path) {
  const ModelInfo& info = model.info();
  const std::string name = Escape(title);
  std::string page =
      "<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport "
      "content=\"width=device-width\"><title>" +
      name + "</title>\n" + kStyle + "<h1>" + name + "</h1>\n";
  page += Format(
      "<p>%s, recipe %s; input %d x %d, %lld tokens; %.2f G multiply-accumulates, %.2f M parameters, file "
      "%.2f MB</p>\n",
      Escape(info.family).c_str(), Escape(info.recipe).c_str(), info.image_width, info.image_height,
      static_cast<long long>(info.tokens), static_cast<double>(info.macs) / 1e9,
      static_cast<double>(info.parameters) / 1e6, static_cast<double>(info.file_bytes) / 1e6);
  page += KeyOf(operators);
  page += Format(
      "<h2>Arena</h2><p>%.2f MB, %d thread%s. Each rectangle is a tensor, or paler an operator's scratch "
      "memory, while it is "
      "needed.</p>\n",
      static_cast<double>(session.arena_bytes()) / 1e6, session.thread_count(),
      session.thread_count() == 1 ? "" : "s");
  page += "<div class=panel>" +
          DrawArena(session.DescribeArena(), operators, std::max<size_t>(session.arena_bytes(), 1)) +
          "</div>\n";
  page +=
      "<h2>Operators</h2><p>In the order in which they run. The bar is the share of the largest in "
      "multiply-accumulates; lines on the left "
      "are tensors that skip operators.</p>\n<div class=panel>" +
      DrawGraph(operators) + "</div>\n</html>\n";
  WriteWholeFile(page, path);
}

}  // namespace vitrine
