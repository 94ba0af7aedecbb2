// SPDX-License-Identifier: Apache-2.0
#include "converter/report/report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "pages/pages.h"

namespace vitrine {
namespace {

using nlohmann::ordered_json;

ordered_json ToJson(const ConversionSummary& s, const std::vector<Guess>& top) {
  ordered_json json = ordered_json::array();
  for (const Guess& guess : top) {
    const size_t index = static_cast<size_t>(guess.index);
    json.push_back({{"index", guess.index},
                    {"label", index < s.labels.size() ? s.labels[index] : ""},
                    {"probability", guess.probability}});
  }
  return json;
}

ordered_json ToJson(const std::vector<OperatorSummary>& operators) {
  ordered_json ops = ordered_json::array();
  for (const OperatorSummary& op : operators) {
    ops.push_back({{"name", op.name},
                   {"kind", op.kind},
                   {"type", op.type},
                   {"macs", op.macs},
                   {"parameters", op.parameters},
                   {"sqnr_db", op.sqnr_db}});
  }
  return ops;
}

ordered_json ToJson(const ConversionSummary& s) {
  ordered_json json = {
      {"output", s.output.string()},
      {"file_bytes", s.file_bytes},
      {"seconds", s.seconds},
      {"family", s.family},
      {"recipe", s.recipe},
      {"sqnr_db", s.levels.front().sqnr_db},
      {"agreement", s.levels.front().agreement},
      {"images", s.fidelity.images},
      {"synthetic_images", s.fidelity.synthetic},
      {"arena_bytes", s.arena_bytes},
      {"macs", s.macs},
      {"parameters", s.parameters},
      {"tokens", s.tokens},
      {"classes", s.classes},
      {"image", {{"height", s.image_height}, {"width", s.image_width}, {"preprocessing", s.preprocessing}}},
      {"source", {{"format", s.source_format}, {"bytes", s.source_bytes}, {"sha256", s.source_sha256}}},
      {"remarks", s.remarks},
      {"ops", ToJson(s.operators)},
      {"changed", ordered_json::array()}};
  for (const ChangedImage& image : s.fidelity.changed)
    json["changed"].push_back(
        {{"image", image.name}, {"f32", ToJson(s, image.expected)}, {"found", ToJson(s, image.found)}});
  for (const LevelSummary& level : s.levels) {
    json["levels"].push_back({{"merged_tokens", level.merged_tokens},
                              {"macs", level.macs},
                              {"sqnr_db", level.sqnr_db},
                              {"agreement", level.agreement}});
  }
  return json;
}

/// Returns the operator with the largest error.
const OperatorSummary& Worst(const ConversionSummary& s) {
  return *std::min_element(s.operators.begin(), s.operators.end(),
                           [](const OperatorSummary& a, const OperatorSummary& b) {
                             return !std::isnan(a.sqnr_db) && !(a.sqnr_db >= b.sqnr_db);
                           });
}

/// Returns how the computation divides among the number types, the largest share first: "97% dynamic int8, 3% f32".
/// Shares below half a percent: "100% dynamic int8 (a few small layers in f32)".
std::string PrecisionShares(const ConversionSummary& s) {
  std::map<std::string, int64_t> macs;
  for (const OperatorSummary& op : s.operators) macs[PrecisionOf(op.type).name] += op.macs;
  std::vector<std::pair<int64_t, std::string>> sorted;
  for (const auto& [name, count] : macs) {
    if (count > 0) sorted.emplace_back(count, name);
  }
  std::sort(sorted.rbegin(), sorted.rend());
  std::string large, small;
  for (const auto& [count, name] : sorted) {
    const double percent =
        100.0 * static_cast<double>(count) / static_cast<double>(std::max<int64_t>(1, s.macs));
    if (percent < 0.5)
      small += (small.empty() ? "" : " and ") + name;
    else
      large += (large.empty() ? "" : ", ") + Format("%.0f%% ", percent) + name;
  }
  return large + (small.empty() ? "" : " (a few small layers in " + small + ")");
}

std::string FidelityOf(const ConversionSummary& s, const LevelSummary& level) {
  return Format("%.1f dB against f32", level.sqnr_db) +
         (s.classes > 0 ? Format(", same class on %.1f%%", 100 * level.agreement) : "");
}

std::string MergingOf(const LevelSummary& level) {
  return Format(", %d tokens merged per block", level.merged_tokens);
}

std::string ImagesOf(const Fidelity& fidelity) {
  return Format(", measured on %d %s", fidelity.images,
                fidelity.synthetic ? "synthetic test images (for photos: --calibrate DIR)" : "photos");
}

}  // namespace

std::string Megabytes(uint64_t bytes) { return Format("%.1f MB", static_cast<double>(bytes) / 1e6); }

std::string LabelOf(const ConversionSummary& s, int index) {
  const size_t i = static_cast<size_t>(index);
  return i < s.labels.size() ? s.labels[i] : Format("class %d", index);
}

std::string TextOf(const ConversionSummary& s) {
  std::string text = s.output.string() + "\n";
  const auto row = [&](const std::string& name, const std::string& value) {
    text += Format("  %-12s ", name.c_str()) + value + "\n";
  };
  row("model", s.family + Format(", %d blocks of width %d, %d %s, %d tokens, %d classes", s.depth, s.width,
                                 s.heads, s.heads == 1 ? "head" : "heads", s.tokens, s.classes));
  row("image", s.preprocessing);
  row("size", Megabytes(s.file_bytes) + " from " + Megabytes(s.source_bytes) +
                  Format(", arena %.2f MB", static_cast<double>(s.arena_bytes) / 1e6));
  row("work",
      Format("%.2f G multiply-accumulates: ", static_cast<double>(s.macs) / 1e9) + PrecisionShares(s));
  const LevelSummary& first = s.levels.front();
  row("fidelity",
      FidelityOf(s, first) + (first.merged_tokens > 0 ? MergingOf(first) : "") + ImagesOf(s.fidelity));
  for (size_t i = 1; i < s.levels.size(); ++i) {
    row(Format("level %zu", i),
        FidelityOf(s, s.levels[i]) + MergingOf(s.levels[i]) +
            Format(", %.2f G multiply-accumulates", static_cast<double>(s.levels[i].macs) / 1e9));
  }
  row("worst layer", Worst(s).name + Format(", %.1f dB", Worst(s).sqnr_db));
  row("took", Format("%.2f s", s.seconds));
  for (const std::string& remark : s.remarks) row("note", remark);
  return text;
}

std::string JsonOf(const ConversionSummary& summary) {
  return ToJson(summary).dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string ReportOf(const ConversionSummary& summary, const std::filesystem::path& file) {
  if (file.extension() == ".html") return PageOf(summary);
  return ToJson(summary).dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace vitrine
