// SPDX-License-Identifier: Apache-2.0
// libvitrine_converter's public header: converts a checkpoint to a .vit file and measures the error.
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
#include "converter/family/json_object.h"
#include "converter/measure/fidelity.h"
#include "converter/quantize/layer.h"
#include "converter/quantize/plan.h"

namespace vitrine {

/// What to convert, and how.
struct ConvertOptions {
  ConversionInputs inputs;       ///< the checkpoint and the files that belong to it
  std::filesystem::path output;  ///< the .vit file to write; an existing file is replaced
  Recipe recipe = Recipe::kDynamic;
  /// A folder of photos to calibrate on and to measure the error on. None: the converter makes test images. Needed for
  /// the recipes static and mixed.
  std::optional<std::filesystem::path> calibrate;
  int calibration_images = 0;      ///< the most photos to use; 0: 64 where the recipe calibrates, else 32
  int threads = 1;                 ///< for calibration and measuring; 0: one for each CPU core
  CalibrationOptions calibration;  ///< recipes static, mixed and int4
  Budget budget;                   ///< recipe mixed
  bool patch_features = false;     ///< keep the patches as an output; the last block computes every token
  /// The number of tokens that each block merges, one for each level of the file, increasing.
  std::vector<int> merged_tokens = {0};
};

/// An operator of the first level of the file, and its error.
struct OperatorSummary {
  Layer layer;
  std::string name, kind, type;  ///< as in the file
  int64_t macs = 0, parameters = 0;
  double sqnr_db = 0;   ///< of its output against f32; NaN where tokens have been merged
  Distribution values;  ///< its outputs in f32; without counts where the SQNR is NaN
};

/// A level of the file, and its error against f32 without merging.
struct LevelSummary {
  int merged_tokens = 0;  ///< by each block
  int64_t macs = 0;
  double sqnr_db = 0;
  double agreement = 1;  ///< fraction of images with f32's top-1; 1 without a classifier
};

/// What a conversion has written and measured.
struct ConversionSummary {
  std::filesystem::path output;
  uint64_t file_bytes = 0, source_bytes = 0, arena_bytes = 0;
  double seconds = 0;
  std::string family, recipe, source_format, source_sha256;
  std::string preprocessing;              ///< for people
  int image_height = 0, image_width = 0;  ///< pixels
  int tokens = 0, classes = 0, depth = 0, width = 0, heads = 0;
  int64_t macs = 0, parameters = 0;
  Fidelity fidelity;
  std::vector<OperatorSummary> operators;  ///< in the order in which they run
  std::vector<LevelSummary> levels;        ///< at least one; the figures above are of the first
  std::vector<std::string> remarks;        ///< what was assumed, one sentence each
  std::vector<std::string> labels;         ///< one for each class, or empty
};

/// Called with the step ("converting block 3") and the fraction of the whole conversion that is done. Runs on the
/// thread that called Convert.
using ProgressFunction = std::function<void(const std::string& step, double fraction)>;

/// Converts a checkpoint, runs the result and the model in f32 on the same images, and writes the file, whole or not at
/// all: the file appears under its name at the end. Throws UsageError when the options contradict each other or the
/// model, and Error for anything else, each with one line for people; std::bad_alloc when memory runs out.
/// `progress` cancels the conversion by throwing: Convert frees everything, leaves the output's folder as it was and
/// throws the same exception. Takes seconds to minutes; uses `options.threads` threads and, while it calibrates, all CPU
/// cores. Changes no process-wide state. Several conversions may run at the same time.
ConversionSummary Convert(const ConvertOptions& options, const ProgressFunction& progress);

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
