// SPDX-License-Identifier: Apache-2.0
// The conversion from start to end: read, fold, lower, quantize, write, check.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "converter/calibrate/mixed.h"
#include "converter/error.h"
#include "converter/family/family.h"
#include "converter/family/inputs.h"
#include "converter/measure/fidelity.h"
#include "converter/lower/lower.h"

namespace vitrine {

struct ConvertOptions {
  ConversionInputs inputs;
  std::filesystem::path output;
  Recipe recipe = Recipe::kDynamic;
  std::optional<std::filesystem::path> calibrate;  ///< photos to calibrate and to check on
  int calibration_images = 0;                      ///< at most; 0: 64 where the recipe calibrates, else 32
  int threads = 1;                                 ///< of calibration and check; 0: as many as processors
  CalibrationOptions calibration;
  Budget budget;                         ///< of the recipe mixed
  bool patch_features = false;           ///< the file gives those too, at the cost of the whole last block
  std::vector<int> merged_tokens = {0};  ///< a block, of each level, increasing
};

/// An operator of the file and what the recipe costs at its output.
struct OperatorSummary {
  std::string name, kind, type;
  int64_t macs = 0, parameters = 0;
  double sqnr_db = 0;
  Distribution values;  ///< of what it gives in f32; without counts where that was not seen
};

/// A level of the file: tokens merged a block, and what that costs beside f32 without merging.
struct LevelSummary {
  int merged_tokens = 0;
  int64_t macs = 0;
  double sqnr_db = 0, agreement = 1;
};

struct ConversionSummary {
  std::filesystem::path output;
  uint64_t file_bytes = 0, source_bytes = 0, arena_bytes = 0;
  double seconds = 0;
  std::string family, recipe, source_format, source_sha256, preprocessing;
  int image_height = 0, image_width = 0, tokens = 0, classes = 0, depth = 0, width = 0, heads = 0;
  int64_t macs = 0, parameters = 0;
  Fidelity fidelity;
  std::vector<OperatorSummary> operators;
  std::vector<LevelSummary> levels;  ///< at least one, the first is the one above
  std::vector<std::string> remarks, labels;
};

/// Converts and checks. Throws Error with one line; then no file is written. `progress` is told what is being
/// done and the fraction of all that is done.
ConversionSummary Convert(const ConvertOptions& options,
                          const std::function<void(const std::string&, double)>& progress);

/// Throws UsageError when the options contradict each other, and Error when the output file must not be replaced: an
/// input, a device, a pipe or a folder. Convert calls it first.
void CheckOptions(const ConvertOptions& options);

/// Throws UsageError unless the name ends in .json or .html, and Error when a report cannot be written there. Call it
/// before Convert, which may take minutes.
void CheckReport(const std::filesystem::path& report, const ConvertOptions& options);

/// Returns the summary as a table for a terminal, ending in a newline.
std::string TextOf(const ConversionSummary& summary);

/// Returns the summary as one JSON object on one line, ending in a newline.
std::string JsonOf(const ConversionSummary& summary);

/// Returns the content of a report for a file of this name: an HTML page that loads nothing for .html, else indented
/// JSON. Reads the model at `summary.output`; throws Error when that fails.
std::string ReportOf(const ConversionSummary& summary, const std::filesystem::path& file);

}  // namespace vitrine
