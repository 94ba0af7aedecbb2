// SPDX-License-Identifier: Apache-2.0
#include "converter/report/report.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "converter/error.h"
#include "converter/report/html.h"
#include "converter/report/page.h"
#include "runtime/base/mapped_file.h"

namespace vitrine {
namespace {

using nlohmann::ordered_json;

std::string Megabytes(uint64_t bytes) { return Format("%.1f MB", static_cast<double>(bytes) / 1e6); }

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
      {"remarks", s.remarks}};
  ordered_json ops = ordered_json::array();
  for (const OperatorSummary& op : s.operators) {
    ops.push_back({{"name", op.name},
                   {"kind", op.kind},
                   {"type", op.type},
                   {"macs", op.macs},
                   {"parameters", op.parameters},
                   {"sqnr_db", op.sqnr_db}});
  }
  json["ops"] = ops;
  json["changed"] = ordered_json::array();
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

const OperatorSummary& Worst(const ConversionSummary& s) {
  return *std::min_element(s.operators.begin(), s.operators.end(),
                           [](const OperatorSummary& a, const OperatorSummary& b) {
                             return !std::isnan(a.sqnr_db) && !(a.sqnr_db >= b.sqnr_db);
                           });
}

/// How the multiply-accumulates divide among the types, most first: "98 % qd8_f32_qc8w, 2 % f32".
std::string TypeShares(const ConversionSummary& s) {
  std::map<std::string, int64_t> macs;
  for (const OperatorSummary& op : s.operators) {
    const char* attention = op.type == "int8" ? "attention in int8" : "attention in f32";
    macs[op.kind == "Attention" ? attention : op.type] += op.macs;
  }
  std::vector<std::pair<int64_t, std::string>> sorted;
  for (const auto& [type, count] : macs) {
    if (count > 0) sorted.emplace_back(count, type);
  }
  std::sort(sorted.rbegin(), sorted.rend());
  std::string line;
  for (const auto& [count, type] : sorted) {
    const double share =
        100.0 * static_cast<double>(count) / static_cast<double>(std::max<int64_t>(1, s.macs));
    line += (line.empty() ? "" : ", ") + Format(share < 0.1 ? "under %.1f%% %s"
                                                : share < 1 ? "%.1f%% %s"
                                                            : "%.0f %% %s",
                                                std::max(share, 0.1), type.c_str());
  }
  return line;
}

std::string FidelityOf(const ConversionSummary& s, const LevelSummary& level) {
  return Format("%.1f dB against f32", level.sqnr_db) +
         (s.classes > 0 ? Format(", same class on %.1f%%", 100 * level.agreement) : "");
}

std::string MergingOf(const LevelSummary& level) {
  return Format("%d tokens merged a block", level.merged_tokens);
}

void Write(const std::filesystem::path& file, const std::string& text) {
  const std::filesystem::path part = file.string() + "." + std::to_string(getpid()) + ".part";
  std::ofstream out(part, std::ios::binary);
  out << text;
  out.close();
  std::error_code failure;
  if (out) std::filesystem::rename(part, file, failure);
  if (out && !failure) return;
  std::filesystem::remove(part, failure);
  Fail(file.string(), ": cannot write the report");
}

}  // namespace

std::string TextOf(const ConversionSummary& s) {
  std::string text;
  const auto row = [&](const char* name, const std::string& value) {
    text += Format("  %-12s ", name) + value + "\n";
  };
  text += s.output.string() + "\n";
  row("model", s.family + Format(", %d blocks of width %d, %d %s, %d tokens, %d classes", s.depth, s.width,
                                 s.heads, s.heads == 1 ? "head" : "heads", s.tokens, s.classes));
  row("image", s.preprocessing);
  row("size", Megabytes(s.file_bytes) + " from " + Megabytes(s.source_bytes) +
                  Format(", arena %.2f MB", static_cast<double>(s.arena_bytes) / 1e6));
  row("work", Format("%.2f G multiply-accumulates: ", static_cast<double>(s.macs) / 1e9) + TypeShares(s));
  const std::string images =
      Format("%d %s", s.fidelity.images,
             s.fidelity.synthetic ? "made-up patterns (give --calibrate DIR for photos)" : "photos");
  const LevelSummary& first = s.levels.front();
  row("fidelity",
      FidelityOf(s, first) + ", on " + images + (first.merged_tokens > 0 ? ", " + MergingOf(first) : ""));
  for (size_t i = 1; i < s.levels.size(); ++i) {
    row(Format("level %zu", i).c_str(),
        FidelityOf(s, s.levels[i]) + ", " + MergingOf(s.levels[i]) +
            Format(", %.2f G multiply-accumulates", static_cast<double>(s.levels[i].macs) / 1e9));
  }
  row("worst", Worst(s).name + Format(", %.1f dB", Worst(s).sqnr_db));
  row("took", Format("%.2f s", s.seconds));
  for (const std::string& remark : s.remarks) row("note", remark);
  return text;
}

std::string JsonOf(const ConversionSummary& summary) {
  return ToJson(summary).dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

void CheckReportName(const std::filesystem::path& file) {
  if (file.extension() != ".json" && file.extension() != ".html")
    Fail(file.string(), ": a report is a .json or .html file");
}

void CheckReportFolder(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  if (!std::filesystem::is_directory(folder)) Fail(file.string(), ": the report's folder is not there");
}

void WriteReport(const ConversionSummary& summary, const std::filesystem::path& file) {
  if (file.extension() == ".json")
    return Write(file, ToJson(summary).dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
  const Result<MappedFile> model = MappedFile::Open(summary.output.c_str());
  if (!model.ok()) Fail(model.status().message());
  const Result<Program> program = Program::Verify(model.value().bytes());
  if (!program.ok()) Fail(summary.output.string(), ": ", program.status().message());
  Write(file, PageOf(summary, program.value()));
}

}  // namespace vitrine
