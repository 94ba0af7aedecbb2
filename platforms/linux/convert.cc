// SPDX-License-Identifier: Apache-2.0
// vitrine-convert: the command line.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "converter/convert.h"
#include "converter/error.h"
#include "converter/family/family.h"
#include "converter/report/report.h"
#include "platforms/linux/cli/command_line.h"
#include "platforms/linux/cli/terminal.h"

namespace vitrine {
namespace {

struct CommandLine {
  ConvertOptions options;
  std::string recipe = "dynamic", observer = "best", image_size, mean, deviation, merge_tokens = "0";
  std::filesystem::path report;
  bool json = false, progress = false;
};

std::string Join(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : ", ") + word;
  return line;
}

/// "224" or "224x288", height first.
ImageSize ParseImageSize(const std::string& text) {
  ImageSize size;
  char rest = 0;
  const int read = std::sscanf(text.c_str(), "%dx%d%c", &size.height, &size.width, &rest);
  if (read == 1 && text.find('x') == std::string::npos)
    size.width = size.height;
  else if (read != 2)
    throw CLI::ValidationError("--image-size", "'" + text + "' is not H or HxW");
  if (size.height < 1 || size.width < 1)
    throw CLI::ValidationError("--image-size", "'" + text + "' is not above zero");
  return size;
}

/// "0.485,0.456,0.406", a number for each channel. One word, so that what follows it on the command line is
/// not taken for another number.
std::optional<std::vector<float>> ParseChannels(const char* flag, const std::string& text) {
  if (text.empty()) return std::nullopt;
  std::vector<float> values;
  std::istringstream numbers(text + ",");
  for (std::string word; std::getline(numbers, word, ',');) {
    float value = 0;
    char rest = 0;
    if (std::sscanf(word.c_str(), "%f%c", &value, &rest) != 1) {
      throw CLI::ValidationError(flag, "'" + text + "' is not one number for each channel, such as R,G,B");
    }
    values.push_back(value);
  }
  return values;
}

/// "8" or "0,8,16": tokens merged a block, of each level.
std::vector<int> ParseLevels(const std::string& text) {
  std::vector<int> levels;
  std::istringstream numbers(text + ",");
  for (std::string word; std::getline(numbers, word, ',');) {
    int value = -1;
    char rest = 0;
    const bool number =
        std::sscanf(word.c_str(), "%d%c", &value, &rest) == 1 && value >= 0 && value <= 1'000'000;
    if (!number || (!levels.empty() && value <= levels.back()) || levels.size() == size_t{kMaxLevels}) {
      throw CLI::ValidationError("--merge-tokens", "'" + text + "' is not a number from 0 on, or at most " +
                                                       std::to_string(kMaxLevels) +
                                                       " that increase, such as 0,8,16");
    }
    levels.push_back(value);
  }
  return levels;
}

/// CLI11 sets a plain value; an option that was not given stays absent.
template <typename T>
CLI::Option* AddOptional(CLI::App& app, const std::string& names, std::optional<T>* target,
                         const std::string& help) {
  return app.add_option_function<T>(
      names, [target](const T& value) { *target = value; }, help);
}

void Declare(CLI::App& app, CommandLine* line) {
  ConversionInputs& inputs = line->options.inputs;
  app.add_option(
         "CHECKPOINT", inputs.checkpoint,
         "A .safetensors, .pth/.pt/.bin, .npz or .onnx file, or a folder as the Hugging Face hub lays it out")
      ->required()
      ->type_name("");
  app.add_option("-o,--output", line->options.output, "The model file to write")
      ->required()
      ->type_name("OUT.vit");
  app.add_option(
         "--recipe", line->recipe,
         "dynamic: int8 weights and activations, needs no data; static: scales of activations fixed by "
         "--calibrate; mixed: static, dynamic or f32, layer by layer, as --min-sqnr allows; int4: weights of "
         "4 bits, for the smallest file; f32: nothing quantized")
      ->capture_default_str()
      ->check(CLI::IsMember({"dynamic", "static", "mixed", "int4", "f32"}))
      ->type_name("NAME");
  AddOptional<std::filesystem::path>(app, "--config", &inputs.config,
                                     "Configuration: Hugging Face or timm hub config.json, or a JSON object "
                                     "of timm VisionTransformer arguments "
                                     "(default: the one beside the checkpoint)")
      ->type_name("FILE");
  AddOptional<std::filesystem::path>(app, "--preprocessor", &inputs.preprocessor,
                                     "Preprocessing: preprocessor_config.json or timm pretrained_cfg "
                                     "(default: the one beside the checkpoint)")
      ->type_name("FILE");
  app.add_option("--mean", line->mean,
                 "Mean of each channel, of pixels scaled to 0..1 (default: what the preprocessing says, else "
                 "the family's own)")
      ->type_name("R,G,B");
  app.add_option("--std", line->deviation,
                 "Standard deviation of each channel, of pixels scaled to 0..1 (default: as --mean)")
      ->type_name("R,G,B");
  AddOptional<double>(app, "--crop-pct", &inputs.crop_fraction,
                      "Input size divided by the resized shortest side, above 0 to 1 (default: as --mean)")
      ->type_name("X");
  AddOptional<std::string>(app, "--interpolation", &inputs.interpolation,
                           "nearest, bilinear, bicubic, lanczos, box or hamming (default: as --mean)")
      ->type_name("NAME");
  AddOptional<std::filesystem::path>(
      app, "--labels", &inputs.labels,
      "Class names: one a line, or JSON {\"0\": \"...\"} (default: those in the configuration)")
      ->type_name("FILE");
  AddOptional<std::filesystem::path>(
      app, "--calibrate", &line->options.calibrate,
      "A folder of photos of the kind that the model will see: static, mixed and "
      "int4 are calibrated on them, and every recipe is compared with f32 (default: four "
      "patterns that the converter makes)")
      ->type_name("DIR");
  app.add_option("--calibrate-images", line->options.calibration_images,
                 "At most how many of them (default: 64 where the recipe calibrates, else 32)")
      ->check(CLI::Range(1, 100000))
      ->type_name("N");
  AddOptional<double>(
      app, "--min-sqnr", &line->options.budget.min_sqnr_db,
      "mixed: what the output must keep on the photos against f32, decibels (default: 36, or 1 less "
      "than dynamic int8 gives where that is lower)")
      ->check(CLI::Range(0.0, 100.0))
      ->type_name("DB");
  AddOptional<double>(
      app, "--max-accuracy-drop", &line->options.budget.max_accuracy_drop,
      "mixed: the fraction of the photos that f32 gets right and the model may not, from 0 to 1; the "
      "photos' folders are called as the labels (default: whatever --min-sqnr allows)")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("FRACTION");
  app.add_flag("!--no-smoothing", line->options.calibration.smooth,
               "static, mixed: leave outlying columns of activations where they are");
  app.add_flag("!--no-tables", line->options.calibration.tables,
               "static, mixed: compute activation functions in f32, not by a table of int8");
  app.add_flag("!--nearest-rounding", line->options.calibration.compensate_rounding,
               "int4: round each weight to the nearest, whatever that does to the layer's output");
  app.add_option(
         "--observer", line->observer,
         "static, mixed: how a tensor's range is found: min-max, percentile, mean-square, or best: whichever "
         "loses least of the layer's output")
      ->capture_default_str()
      ->check(CLI::IsMember({"best", "min-max", "percentile", "mean-square"}))
      ->type_name("NAME");
  app.add_option(
         "--image-size", line->image_size,
         "Input size in pixels; position embeddings are interpolated (default: what the preprocessing says)")
      ->type_name("H[xW]");
  app.add_option(
         "--merge-tokens", line->merge_tokens,
         "Token merging: in each block so many tokens are averaged into those that they resemble; "
         "several numbers, increasing, make a file of several levels, the first of which is run unless "
         "another is asked for")
      ->capture_default_str()
      ->type_name("R[,R...]");
  app.add_flag(
      "--patch-features", line->options.patch_features,
      "Let the model also give a vector for each patch, for vitrine explain --patches; the last block "
      "then computes all tokens, which a classifier on the class token needs not");
  AddOptional<int>(app, "--heads", &inputs.heads,
                   "Attention heads, where no file tells (default: width / 64)")
      ->check(CLI::Range(1, 4096))
      ->type_name("N");
  AddOptional<std::string>(app, "--family", &inputs.family,
                           "Model family, where the tensors' names do not tell: " + Join(FamilyNames()))
      ->check(CLI::IsMember(FamilyNames()))
      ->type_name("NAME");
  app.add_option("--threads", line->options.threads,
                 "Threads for calibration and the check; 0: as many as processors")
      ->capture_default_str()
      ->check(CLI::Range(0, 256))
      ->type_name("N");
  app.add_option("--report", line->report,
                 "Write fidelity, sizes and what runs in which type to this .json or .html file")
      ->type_name("FILE");
  app.add_flag("--json", line->json, "Print the summary on stdout as one JSON object");
  app.add_flag(
      "--progress", line->progress,
      "Print on stderr, a line a step, the fraction that is done and what is being done, for programs");
  app.set_version_flag("--version", "vitrine-convert " VITRINE_VERSION);
}

/// What was typed as one word each.
void ParseWords(CommandLine* line) {
  ConversionInputs& inputs = line->options.inputs;
  line->options.recipe = RecipeOf(line->recipe);
  if (line->observer == "min-max") line->options.calibration.observer = RangeObserver::kMinMax;
  if (line->observer == "percentile") line->options.calibration.observer = RangeObserver::kPercentile;
  if (line->observer == "mean-square") line->options.calibration.observer = RangeObserver::kMeanSquare;
  if (!line->image_size.empty()) inputs.image_size = ParseImageSize(line->image_size);
  line->options.merged_tokens = ParseLevels(line->merge_tokens);
  inputs.mean = ParseChannels("--mean", line->mean);
  inputs.deviation = ParseChannels("--std", line->deviation);
  if (!line->report.empty()) CheckReportName(line->report);
}

/// Whether a conversion reads `file`: one that was named, or of a folder's what may be weights or settings.
bool IsRead(const std::filesystem::path& file, const ConversionInputs& inputs) {
  std::error_code none;
  for (const auto& named :
       {std::optional(inputs.checkpoint), inputs.config, inputs.preprocessor, inputs.labels}) {
    if (named && std::filesystem::equivalent(file, *named, none)) return true;
  }
  const bool is_folder = std::filesystem::is_directory(inputs.checkpoint, none);
  const std::filesystem::path folder =
      is_folder ? inputs.checkpoint : std::filesystem::absolute(inputs.checkpoint).parent_path();
  if (!std::filesystem::equivalent(std::filesystem::absolute(file).parent_path(), folder, none)) return false;
  const std::string name = file.filename().string(), extension = file.extension().string();
  for (const char* settings : {"config.json", "preprocessor_config.json"}) {
    if (name == settings) return true;
  }
  for (const char* weights : {".safetensors", ".bin", ".pth", ".pt", ".npz", ".onnx"}) {
    if (is_folder && (extension == weights || name.ends_with(std::string(weights) + ".index.json")))
      return true;
  }
  return false;
}

/// Refuses, before any work, an output that would destroy something: /dev/null, or what is read.
void CheckOutput(const std::filesystem::path& output, const ConversionInputs& inputs) {
  std::error_code none;
  if (!std::filesystem::exists(output, none)) return;
  if (!std::filesystem::is_regular_file(output, none))
    Fail(output.string(), ": is not a file that can be replaced");
  if (IsRead(output, inputs))
    Fail(output.string(), ": is read here, and would be overwritten: choose another name");
}

/// Refuses what would change nothing: a person has meant another recipe.
void CheckRecipe(const CLI::App& app, const CommandLine& line) {
  const auto refuse = [&](const char* flag, bool is_meant, const char* needed) {
    if (is_meant) throw CLI::ValidationError(flag, std::string("says nothing without ") + needed);
  };
  const bool mixed = line.recipe == "mixed", ranges = mixed || line.recipe == "static";
  refuse("--min-sqnr", !mixed && app.count("--min-sqnr") > 0, "--recipe mixed");
  refuse("--max-accuracy-drop", !mixed && app.count("--max-accuracy-drop") > 0, "--recipe mixed");
  refuse("--observer", !ranges && line.observer != "best", "--recipe static or mixed");
  refuse("--no-smoothing", !ranges && app.count("--no-smoothing") > 0, "--recipe static or mixed");
  refuse("--no-tables", !ranges && app.count("--no-tables") > 0, "--recipe static or mixed");
  refuse("--nearest-rounding", line.recipe != "int4" && app.count("--nearest-rounding") > 0, "--recipe int4");
  refuse("--calibrate-images", !line.options.calibrate && app.count("--calibrate-images") > 0, "--calibrate");
}

int Run(const CommandLine& line) {
  CheckOutput(line.options.output, line.options.inputs);
  if (!line.report.empty()) {
    CheckOutput(line.report, line.options.inputs);
    if (std::filesystem::weakly_canonical(line.report) ==
        std::filesystem::weakly_canonical(line.options.output))
      Fail(line.report.string(), ": is the model's file and the report's");
    CheckReportFolder(line.report);
  }
  ConversionSummary summary;
  {
    Progress bar(!line.json && !line.progress);
    summary = Convert(line.options, [&](const std::string& what, double fraction) {
      bar.Show(what, fraction);
      if (line.progress) std::fprintf(stderr, "%.4f %s\n", fraction, what.c_str());
    });
  }
  if (!line.report.empty()) WriteReport(summary, line.report);
  std::fputs((line.json ? JsonOf(summary) : TextOf(summary)).c_str(), stdout);
  return FinishOutput("vitrine-convert", 0);
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  using namespace vitrine;
  CommandLine line;
  CLI::App app(
      "Turns a trained Vision Transformer into one int8 model file for vitrine.\n\n"
      "  vitrine-convert dinov2-small/ -o dinov2.vit\n"
      "  vitrine-convert deit_tiny.pth -o deit.vit --labels imagenet.txt --calibrate photos/",
      "vitrine-convert");
  app.usage("Usage: vitrine-convert CHECKPOINT -o OUT.vit [OPTIONS]");
  app.formatter(std::make_shared<HelpFormatter>());
  Declare(app, &line);
  try {
    app.parse(argc, argv);
    ParseWords(&line);
    CheckRecipe(app, line);
  } catch (const CLI::Success& success) {
    return FinishOutput("vitrine-convert", app.exit(success));
  } catch (const std::exception& error) {
    PrintError("vitrine-convert", std::string(error.what()) + " (see --help)");
    return kWrongUsage;
  }
  try {
    return Run(line);
  } catch (const UsageError& error) {
    PrintError("vitrine-convert", std::string(error.what()) + " (see --help)");
    return kWrongUsage;
  } catch (const std::bad_alloc&) {
    PrintError("vitrine-convert", "not enough memory");
  } catch (const std::exception& error) {
    PrintError("vitrine-convert", error.what());
  }
  return kFailure;
}
