// SPDX-License-Identifier: Apache-2.0
// vitrine inspect: what a model file holds, what it costs to run, and what the converter measured.
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "platforms/linux/cli/command.h"
#include "platforms/linux/cli/measure.h"
#include "platforms/linux/cli/output.h"
#include "platforms/linux/draw/inspect_page.h"
#include "platforms/linux/photos/classes.h"

namespace vitrine {
namespace {

using nlohmann::ordered_json;

struct Options : CommonOptions {
  bool self_test = false;
  std::string estimate, page;
};

ordered_json NumberOrNull(double value) {
  return std::isnan(value) ? ordered_json(nullptr) : ordered_json(value);
}

ordered_json LabelsOf(const Model& model) {
  ordered_json labels = ordered_json::array();
  for (int i = 0; i < model.label_count(); ++i) labels.push_back(model.label(i));
  return labels;
}

ordered_json ToJson(std::span<const OperatorInfo> operators) {
  ordered_json ops = ordered_json::array();
  for (const OperatorInfo& op : operators) {
    ops.push_back({{"name", op.name},
                   {"kind", op.kind},
                   {"type", op.type},
                   {"shape", {op.rows, op.columns}},
                   {"macs", op.macs},
                   {"parameters", op.parameters},
                   {"sqnr_db", NumberOrNull(double{op.sqnr_db})}});
  }
  return ops;
}

ordered_json LevelsOf(const Model& model) {
  ordered_json levels = ordered_json::array();
  for (const LevelInfo& level : model.levels()) {
    levels.push_back({{"merged_tokens", level.merged_tokens},
                      {"macs", level.macs},
                      {"sqnr_db", level.sqnr_db},
                      {"agreement", level.agreement}});
  }
  return levels;
}

/// Returns modelled milliseconds for each operator.
std::vector<double> EstimateAll(std::span<const OperatorInfo> operators, const Core& core) {
  std::vector<double> all;
  for (const OperatorInfo& op : operators) all.push_back(EstimateMilliseconds(op, core));
  return all;
}

ordered_json EstimateAsJson(const std::vector<double>& all, const Core& core) {
  return {{"core", core.name},
          {"gigahertz", core.gigahertz},
          {"threads", 1},
          {"modelled_ms", std::accumulate(all.begin(), all.end(), 0.0)},
          {"modelled_ops_ms", all}};
}

/// Prints modelled time by kind of operator, most first.
void PrintEstimate(std::span<const OperatorInfo> operators, const std::vector<double>& all,
                   const Core& core) {
  const double total = std::accumulate(all.begin(), all.end(), 0.0);
  std::printf(
      "\n  modelled   about %.0f ms per image on a %s at %.1f GHz (%s), one thread; the real time may "
      "be %.0f to %.0f ms\n",
      total, core.name, core.gigahertz, core.board, 0.7 * total, 1.3 * total);
  for (const auto& [ms, kind] : SumByKind(operators, all))
    std::printf("             %-14s %8.1f ms %5.1f%%\n", kind.c_str(), ms, 100 * ms / total);
}

ordered_json Describe(const Model& model, const Session& session, std::span<const OperatorInfo> operators) {
  const ModelInfo& info = model.info();
  return {{"format", std::to_string(info.format_major) + "." + std::to_string(info.format_minor)},
          {"producer", info.producer},
          {"family", info.family},
          {"recipe", info.recipe},
          {"image",
           {{"height", info.image_height},
            {"width", info.image_width},
            {"channels", info.image_channels},
            {"resize", info.resize},
            {"interpolation", info.interpolation},
            {"mean", info.mean},
            {"std", info.deviation}}},
          {"tokens", info.tokens},
          {"macs", info.macs},
          {"parameters", info.parameters},
          {"file_bytes", info.file_bytes},
          {"arena_bytes", session.arena_bytes()},
          {"packed_bytes", session.packed_bytes()},
          {"classes", session.logits().size()},
          {"embedding", session.embedding().size()},
          {"labels", LabelsOf(model)},
          {"source",
           {{"file", info.source_file}, {"format", info.source_format}, {"sha256", info.source_sha256}}},
          {"fidelity",
           {{"images", info.fidelity_images},
            {"synthetic", info.fidelity_synthetic},
            {"sqnr_db", info.sqnr_db},
            {"agreement", info.agreement}}},
          {"levels", LevelsOf(model)},
          {"ops", ToJson(operators)}};
}

/// Prints the first labels, as many as fit on a line.
void PrintLabels(const Model& model) {
  constexpr size_t kWidth = 80;
  std::string line;
  int shown = 0;
  for (; shown < model.label_count() && line.size() < kWidth; ++shown)
    line += (shown > 0 ? ", " : "") + PrintableLabelOf(model, shown);
  if (shown > 0) std::printf("  classes    %s%s\n", line.c_str(), shown < model.label_count() ? ", ..." : "");
}

/// Prints the levels where there are several, or tokens are merged.
void PrintLevels(const Model& model) {
  const std::span<const LevelInfo> levels = model.levels();
  if (levels.size() == 1 && levels.front().merged_tokens == 0) return;
  for (size_t i = 0; i < levels.size(); ++i) {
    std::printf(
        "  level %zu    %d tokens merged per block, %.3f G multiply-accumulates, %.1f dB, same class on "
        "%.1f%%\n",
        i, levels[i].merged_tokens, static_cast<double>(levels[i].macs) / 1e9,
        static_cast<double>(levels[i].sqnr_db), 100 * static_cast<double>(levels[i].agreement));
  }
}

void PrintText(const Model& model, const Session& session, const std::string& path) {
  const ModelInfo& info = model.info();
  std::printf("%s\n  format     %d.%d, written by %s\n", path.c_str(), info.format_major, info.format_minor,
              Printable(info.producer).c_str());
  std::printf("  model      %s, recipe %s\n", Printable(info.family).c_str(), Printable(info.recipe).c_str());
  std::printf("  source     %s (%s), SHA-256 %s\n", Printable(info.source_file).c_str(),
              Printable(info.source_format).c_str(), Printable(info.source_sha256).c_str());
  std::printf("  image      %dx%dx%d, %s, %s\n", info.image_height, info.image_width, info.image_channels,
              Printable(info.resize).c_str(), Printable(info.interpolation).c_str());
  std::printf("  output     %zu classes, embedding of %zu\n", session.logits().size(),
              session.embedding().size());
  PrintLabels(model);
  std::printf("  work       %lld tokens, %.3f G multiply-accumulates, %.2f M parameters\n",
              static_cast<long long>(info.tokens), static_cast<double>(info.macs) / 1e9,
              static_cast<double>(info.parameters) / 1e6);
  std::printf("  memory     file %.2f MB, packed weights %.2f MB, arena %.2f MB (%d thread%s)\n",
              static_cast<double>(info.file_bytes) / 1e6, static_cast<double>(session.packed_bytes()) / 1e6,
              static_cast<double>(session.arena_bytes()) / 1e6, session.thread_count(),
              session.thread_count() == 1 ? "" : "s");
  if (info.fidelity_images > 0) {
    std::printf("  fidelity   %.1f dB against f32, same class on %.1f%%, measured on %d %s\n",
                static_cast<double>(info.sqnr_db), 100 * static_cast<double>(info.agreement),
                info.fidelity_images, info.fidelity_synthetic ? "synthetic test images" : "photos");
  }
  PrintLevels(model);
}

void PrintOperators(std::span<const OperatorInfo> operators) {
  std::printf("\n  %-26s %-13s %-14s %13s %10s %11s %8s\n", "operator", "kind", "type", "shape", "M MACs",
              "parameters", "SQNR dB");
  for (const OperatorInfo& op : operators) {
    const std::string shape = std::to_string(op.rows) + "x" + std::to_string(op.columns);
    std::printf("  %-26s %-13s %-14s %13s %10.2f %11lld ", Printable(op.name).c_str(), op.kind, op.type,
                shape.c_str(), static_cast<double>(op.macs) / 1e6, static_cast<long long>(op.parameters));
    if (std::isnan(op.sqnr_db))
      std::printf("%8s\n", "-");
    else
      std::printf("%8.1f\n", static_cast<double>(op.sqnr_db));
  }
}

void Inspect(const Options& options) {
  if (!options.page.empty()) CheckOutput(options.page, {options.model});
  const Model model = OrFail(Model::Open(options.model.c_str()));
  Session session = options.CreateSession(model);
  if (options.self_test) OrFail(session.SelfTest());
  const std::span<const OperatorInfo> operators = options.OperatorsOf(model);
  const std::optional<Core> core = FindCore(options.estimate);
  std::vector<double> estimates;
  if (core) estimates = EstimateAll(operators, *core);
  if (!options.page.empty())
    WriteInspectPage(model, session, operators, options.model.substr(options.model.rfind('/') + 1),
                     options.page);
  if (options.json) {
    ordered_json json = Describe(model, session, operators);
    if (core) json["estimate"] = EstimateAsJson(estimates, *core);
    PrintJsonLine(json);
    return;
  }
  PrintText(model, session, options.model);
  PrintOperators(operators);
  if (core) PrintEstimate(operators, estimates, *core);
  if (options.self_test)
    std::printf("\n  self-test  passed: the reference image gives the expected output on this CPU\n");
}

void Declare(CLI::App& command, int*) {
  auto options = std::make_shared<Options>();
  options->Declare(command);
  command.add_flag("--self-test", options->self_test,
                   "Also run the reference image in the file and check the output");
  command
      .add_option("--html", options->page,
                  "Also write a page that draws the operators and the arena over time")
      ->type_name("FILE");
  command
      .add_option("--estimate", options->estimate,
                  "Also print modelled milliseconds on another core: cortex-a72 (Raspberry Pi 4) or "
                  "cortex-a76 (Raspberry "
                  "Pi 5), with @GIGAHERTZ for another clock than the board's")
      ->type_name("CORE")
      ->check([](const std::string& core) {
        return FindCore(core)
                   ? ""
                   : "'" + core + "' is unknown; known are cortex-a72 and cortex-a76, also with @GIGAHERTZ";
      });
  command.callback([options] { Inspect(*options); });
}

}  // namespace

extern const Command kInspect;
const Command kInspect = {"inspect", "Show a model's operators, types, shapes, sizes and measured fidelity",
                          Declare};

}  // namespace vitrine
