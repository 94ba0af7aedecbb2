// SPDX-License-Identifier: Apache-2.0
// What a conversion refuses before it reads the checkpoint: options that contradict each other, and output files that
// must not be replaced.
#include "converter/convert.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

/// Throws UsageError where an option is set that the recipe does not use.
void CheckRecipe(const ConvertOptions& options) {
  const auto needs = [](bool refused, const char* flag, const char* needed) {
    if (refused) FailUsage(flag, " needs ", needed);
  };
  const bool is_mixed = options.recipe == Recipe::kMixed, is_int4 = options.recipe == Recipe::kInt4,
             has_ranges = is_mixed || options.recipe == Recipe::kStatic;
  const CalibrationOptions& calibration = options.calibration;
  needs(!is_mixed && options.budget.min_sqnr_db, "--min-sqnr", "--recipe mixed");
  needs(!is_mixed && options.budget.max_accuracy_drop, "--max-accuracy-drop", "--recipe mixed");
  needs(!has_ranges && calibration.observer, "--observer", "--recipe static or mixed");
  needs(!has_ranges && !calibration.smooth, "--no-smoothing", "--recipe static or mixed");
  needs(!has_ranges && !calibration.tables, "--no-tables", "--recipe static or mixed");
  needs(!is_int4 && !calibration.compensate_rounding, "--nearest-rounding", "--recipe int4");
  if (options.calibrate) return;
  needs(options.calibration_images > 0, "--calibrate-images", "--calibrate DIR");
  if (has_ranges) {
    FailUsage("--recipe ", Name(options.recipe),
              " needs --calibrate DIR: a folder of photos like those that the model will see; 64 are enough");
  }
}

/// Throws UsageError unless there are 1 to 16 levels that each merge more tokens than the one before.
void CheckLevels(const std::vector<int>& merged_tokens) {
  constexpr size_t kMostLevels = 16;
  bool is_right = !merged_tokens.empty() && merged_tokens.size() <= kMostLevels && merged_tokens.front() >= 0;
  for (size_t i = 1; i < merged_tokens.size(); ++i)
    is_right = is_right && merged_tokens[i] > merged_tokens[i - 1];
  if (!is_right)
    FailUsage("--merge-tokens: expected one number or up to ", kMostLevels,
              " increasing numbers, such as 0,8,16");
}

/// Returns whether a conversion may read `file`: an input that was named, the configuration next to the checkpoint, or
/// any file of weights in the checkpoint's folder.
bool IsRead(const fs::path& file, const ConversionInputs& inputs) {
  std::error_code none;
  for (const auto& named :
       {std::optional(inputs.checkpoint), inputs.config, inputs.preprocessor, inputs.labels}) {
    if (named && fs::equivalent(file, *named, none)) return true;
  }
  const bool is_folder = fs::is_directory(inputs.checkpoint, none);
  const fs::path folder = is_folder ? inputs.checkpoint : fs::absolute(inputs.checkpoint).parent_path();
  if (!fs::equivalent(fs::absolute(file).parent_path(), folder, none)) return false;
  const std::string name = file.filename().string();
  for (const char* configuration : {"config.json", "preprocessor_config.json"}) {
    if (name == configuration) return true;
  }
  for (const std::string extension : {".safetensors", ".bin", ".pth", ".pt", ".npz", ".onnx"}) {
    if (is_folder && (file.extension() == extension || name.ends_with(extension + ".index.json")))
      return true;
  }
  return false;
}

/// Throws Error where `output` exists and must not be replaced: a device, a pipe or a folder, or a file that is read.
void CheckOutput(const fs::path& output, const ConversionInputs& inputs) {
  std::error_code none;
  if (!fs::exists(output, none)) return;
  if (!fs::is_regular_file(output, none))
    Fail(output.string(), ": not a regular file, so it cannot be replaced");
  if (IsRead(output, inputs))
    Fail(output.string(), ": is an input of this conversion and would be overwritten; choose another name");
}

}  // namespace

void CheckOptions(const ConvertOptions& options) {
  CheckRecipe(options);
  CheckLevels(options.merged_tokens);
  CheckOutput(options.output, options.inputs);
}

void CheckReport(const fs::path& report, const ConvertOptions& options) {
  if (report.extension() != ".json" && report.extension() != ".html")
    FailUsage("--report ", report.string(), ": the name of a report ends in .json or .html");
  CheckOutput(report, options.inputs);
  if (fs::weakly_canonical(report) == fs::weakly_canonical(options.output))
    Fail(report.string(),
         ": is the name of the model and of the report; choose another name for one of them");
  const fs::path folder = report.has_parent_path() ? report.parent_path() : ".";
  if (!fs::is_directory(folder)) Fail(report.string(), ": there is no folder ", folder.string());
}

}  // namespace vitrine
