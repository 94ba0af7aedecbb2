// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/draw/inspect_page.h"

#include <algorithm>
#include <cmath>

#include "pages/pages.h"
#include "platforms/linux/cli/output.h"

namespace vitrine {
namespace {

double Million(int64_t value) { return static_cast<double>(value) / 1e6; }

/// Returns the colour of a kind of operator, the same in both drawings.
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

/// Returns a legend of the kinds of operators, in the order of their first use.
std::string DrawKey(std::span<const OperatorInfo> operators) {
  std::vector<std::string_view> kinds;
  std::string html = "<p>";
  for (const OperatorInfo& op : operators) {
    if (std::find(kinds.begin(), kinds.end(), op.kind) != kinds.end()) continue;
    kinds.push_back(op.kind);
    html +=
        Format("<span class=key><i style=\"background:%s\"></i>%s</span>", ColorOf(op.kind).c_str(), op.kind);
  }
  return html + "</p>\n";
}

/// Returns the last operator before `index` that writes `tensor`, or -1.
int WriterOf(std::span<const OperatorInfo> operators, int tensor, int index) {
  while (--index >= 0) {
    if (operators[static_cast<size_t>(index)].writes == tensor) return index;
  }
  return -1;
}

// The graph has one row per operator: curves on the left, a box, and the costs on the right.
constexpr int kRow = 26, kLeft = 150, kBox = 380, kCosts = kLeft + kBox, kGraphWidth = kCosts + 450;

int MiddleOf(int index) { return index * kRow + kRow / 2 + 2; }

/// Draws a curve from every operator whose result is read later than by the next operator.
std::string DrawSkips(std::span<const OperatorInfo> operators) {
  std::string svg;
  for (int i = 0; i < static_cast<int>(operators.size()); ++i) {
    for (const int tensor : operators[static_cast<size_t>(i)].reads) {
      const int from = tensor < 0 ? -1 : WriterOf(operators, tensor, i);
      if (from < 0 || from == i - 1) continue;
      const int bend = kLeft - std::min(kLeft - 8, 14 + 6 * (i - from));
      svg += Format("<path class=edge d=\"M%d %d C%d %d %d %d %d %d\"/>\n", kLeft, MiddleOf(from), bend,
                    MiddleOf(from), bend, MiddleOf(i), kLeft, MiddleOf(i));
    }
  }
  return svg;
}

/// Draws one row of the graph. `share` is the operator's work as a fraction of the largest operator's.
std::string DrawOperator(const OperatorInfo& op, int y, double share) {
  const std::string color = ColorOf(op.kind), name = Escape(op.name);
  const auto text = [y](int x, const char* end, const std::string& words) {
    return Format("<text class=soft x=%d y=%d%s>%s</text>", kCosts + x, y + 4, end, words.c_str());
  };
  std::string svg = Format("<line x1=%d x2=%d y1=%d y2=%d class=edge />", kLeft + 12, kLeft + 12,
                           y - kRow / 2, y + kRow / 2);
  svg += Format(
      "<rect x=%d y=%d width=%d height=20 rx=5 fill=\"%s\" fill-opacity=.35><title>%s: %s %s, [%lld, %lld], "
      "%.2f M multiply-accumulates, %lld parameters</title></rect>",
      kLeft, y - 10, kBox, color.c_str(), name.c_str(), op.kind, op.type, static_cast<long long>(op.rows),
      static_cast<long long>(op.columns), Million(op.macs), static_cast<long long>(op.parameters));
  svg += Format("<rect x=%d y=%d width=%.1f height=3 rx=1 fill=\"%s\"/>", kLeft, y + 7, kBox * share,
                color.c_str());
  svg += Format("<text x=%d y=%d>%s</text>", kLeft + 10, y + 3, name.c_str());
  svg += text(12, "", op.kind) + text(110, "", op.type) +
         text(200, "",
              Format("[%lld, %lld]", static_cast<long long>(op.rows), static_cast<long long>(op.columns)));
  if (op.macs > 0) svg += text(370, " text-anchor=end", Format("%.1f M MACs", Million(op.macs)));
  if (!std::isnan(op.sqnr_db)) svg += text(440, " text-anchor=end", Format("%.1f dB", double{op.sqnr_db}));
  return svg + "\n";
}

std::string DrawGraph(std::span<const OperatorInfo> operators) {
  int64_t most = 1;
  for (const OperatorInfo& op : operators) most = std::max(most, op.macs);
  std::string svg = Format("<svg width=%d height=%d role=img aria-label=\"operators\">\n", kGraphWidth,
                           static_cast<int>(operators.size()) * kRow + 8);
  svg += DrawSkips(operators);
  for (size_t i = 0; i < operators.size(); ++i)
    svg +=
        DrawOperator(operators[i], MiddleOf(static_cast<int>(i)), Million(operators[i].macs) / Million(most));
  return svg + "</svg>\n";
}

/// Draws the arena: time from left to right in operators, addresses from the bottom up.
std::string DrawArena(const std::vector<BufferInfo>& buffers, std::span<const OperatorInfo> operators,
                      size_t arena_bytes) {
  constexpr double kMargin = 64, kWidth = 980, kHeight = 400;
  const double across = kWidth / static_cast<double>(operators.size()),
               down = kHeight / static_cast<double>(arena_bytes);
  std::string svg =
      Format("<svg width=%.0f height=%.0f role=img aria-label=\"arena\">\n", kMargin + kWidth, kHeight + 40);
  for (int tick = 0; tick <= 4; ++tick) {
    const double y = 8 + kHeight * (1 - tick / 4.0);
    svg += Format(
        "<line class=axis x1=%.0f x2=%.0f y1=%.1f y2=%.1f /><text class=soft x=%.0f y=%.1f "
        "text-anchor=end>%.2f "
        "MB</text>\n",
        kMargin, kMargin + kWidth, y, y, kMargin - 6, y + 4, static_cast<double>(arena_bytes) * tick / 4e6);
  }
  for (const BufferInfo& buffer : buffers) {
    if (buffer.bytes == 0) continue;
    const OperatorInfo& op =
        operators[static_cast<size_t>(std::clamp(buffer.first, 0, static_cast<int>(operators.size()) - 1))];
    const int used = buffer.last - buffer.first + 1;
    const double height = std::max(1.0, down * static_cast<double>(buffer.bytes));
    svg += Format(
        "<rect x=%.2f y=%.2f width=%.2f height=%.2f fill=\"%s\" fill-opacity=%s stroke=\"var(--page)\" "
        "stroke-width=.5><title>%s%s: %.1f kB at %.1f kB, from %s, for %d operator%s</title></rect>\n",
        kMargin + across * buffer.first, 8 + kHeight - down * static_cast<double>(buffer.offset) - height,
        std::max(1.0, across * used), height, ColorOf(op.kind).c_str(), buffer.is_scratch ? ".45" : ".85",
        buffer.is_scratch ? "scratch of " : "", Escape(buffer.name).c_str(),
        static_cast<double>(buffer.bytes) / 1e3, static_cast<double>(buffer.offset) / 1e3,
        Escape(op.name).c_str(), used, used == 1 ? "" : "s");
  }
  return svg + Format(
                   "<text class=soft x=%.0f y=%.0f>first operator</text><text class=soft x=%.0f y=%.0f "
                   "text-anchor=end>last operator</text>\n</svg>\n",
                   kMargin, kHeight + 30, kMargin + kWidth, kHeight + 30);
}

}  // namespace

void WriteInspectPage(const Model& model, const Session& session, std::span<const OperatorInfo> operators,
                      const std::string& title, const std::string& path) {
  const ModelInfo& info = model.info();
  std::string page = StartPage(title);
  page += Format(
      "<p class=soft>%s, recipe %s; input %d x %d, %lld tokens; %.2f G multiply-accumulates, %.2f M "
      "parameters, "
      "file %.2f MB</p>\n",
      Escape(info.family).c_str(), Escape(info.recipe).c_str(), info.image_width, info.image_height,
      static_cast<long long>(info.tokens), Million(info.macs) / 1e3, Million(info.parameters),
      static_cast<double>(info.file_bytes) / 1e6);
  page += DrawKey(operators);
  page += Format(
      "<h2>Arena</h2><p>%.2f MB, %d thread%s. Each rectangle is a tensor for as long as it is needed; the "
      "paler "
      "ones are the operators' scratch memory.</p>\n<div class=\"card wide\">",
      static_cast<double>(session.arena_bytes()) / 1e6, session.thread_count(),
      session.thread_count() == 1 ? "" : "s");
  page += DrawArena(session.DescribeArena(), operators, std::max<size_t>(session.arena_bytes(), 1));
  page +=
      "</div>\n<h2>Operators</h2><p>In the order in which they run. The bar below a name shows its "
      "multiply-accumulates (MACs), relative to the largest operator. The curves on the left are tensors "
      "that a later "
      "operator reads.</p>\n<div class=\"card wide\">" +
      DrawGraph(operators) + "</div>\n</html>\n";
  WriteWholeFile(page, path);
}

}  // namespace vitrine
