// SPDX-License-Identifier: Apache-2.0
// The command vitrine-convert: its options, its progress and what an interrupt does.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "converter/convert.h"
#include "platforms/linux/cli/command_line.h"
#include "platforms/linux/cli/output.h"

namespace vitrine {
namespace {

constexpr char kProgram[] = "vitrine-convert";

/// The command line: the options of the conversion, the words that are parsed into them, and what to print.
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

/// Parses "224" or "224x288", height first.
ImageSize ParseImageSize(const std::string& text) {
  ImageSize size;
  char rest = 0;
  const int read = std::sscanf(text.c_str(), "%dx%d%c", &size.height, &size.width, &rest);
  if (read == 1 && text.find('x') == std::string::npos)
    size.width = size.height;
  else if (read != 2)
    throw CLI::ValidationError("--image-size",
                               "expected H or HxW, such as 224 or 224x288, found '" + text + "'");
  if (size.height < 1 || size.width < 1)
    throw CLI::ValidationError("--image-size", "expected a size above zero, found '" + text + "'");
  return size;
}

/// Parses "0.485,0.456,0.406", one number for each channel. It is one word, so that the next word on the command line
/// is not taken for another number.
std::optional<std::vector<float>> ParseChannels(const char* flag, const std::string& text) {
  if (text.empty()) return std::nullopt;
  std::vector<float> values;
  std::istringstream numbers(text + ",");
  for (std::string word; std::getline(numbers, word, ',');) {
    float value = 0;
    char rest = 0;
    if (std::sscanf(word.c_str(), "%f%c", &value, &rest) != 1)
      throw CLI::ValidationError(flag,
                                 "expected one number for each channel, such as R,G,B, found '" + text + "'");
    values.push_back(value);
  }
  return values;
}

/// Parses "8" or "0,8,16": the tokens that each block merges, for each level.
std::vector<int> ParseLevels(const std::string& text) {
  std::vector<int> levels;
  std::istringstream numbers(text + ",");
  for (std::string word; std::getline(numbers, word, ',');) {
    int value = 0;
    char rest = 0;
    if (std::sscanf(word.c_str(), "%d%c", &value, &rest) != 1 || value < 0 || value > 1'000'000)
      throw CLI::ValidationError("--merge-tokens",
                                 "expected numbers such as 8 or 0,8,16, found '" + text + "'");
    levels.push_back(value);
  }
  return levels;
}

/// Adds an option whose target stays empty unless the option is given.
template <typename T>
CLI::Option* AddOptional(CLI::App& app, const std::string& names, std::optional<T>* target,
                         const std::string& help) {
  return app.add_option_function<T>(
      names, [target](const T& value) { *target = value; }, help);
}

void DeclareOutput(CLI::App& app, CommandLine* line) {
  app.add_option("-o,--output", line->options.output, "The model file to write")
      ->required()
      ->type_name("OUT.vit");
  app.add_option(
         "--report", line->report,
         "Also write a report: the error and the precision of each layer, and all sizes. The name ends in "
         ".html or .json")
      ->type_name("FILE");
  app.add_flag("--json", line->json, "Print the summary on stdout as one JSON object");
  app.add_flag(
      "--progress", line->progress,
      "Print progress on stderr for programs: one line per step, with the finished fraction and the name "
      "of the step");
  app.add_option("--threads", line->options.threads,
                 "Threads for calibration and for measuring the error; 0: one for each CPU core")
      ->capture_default_str()
      ->check(CLI::Range(0, 256))
      ->type_name("N");
  app.set_version_flag("--version", std::string(kProgram) + " " VITRINE_VERSION,
                       "Print the version and exit");
}

void DeclareModel(CLI::App& app, CommandLine* line) {
  ConversionInputs& inputs = line->options.inputs;
  AddOptional<std::filesystem::path>(
      app, "--config", &inputs.config,
      "Configuration of the model: config.json of Hugging Face or of a timm model on "
      "the hub, or a JSON object of arguments of timm's VisionTransformer (default: "
      "the one next to the checkpoint)")
      ->type_name("FILE");
  AddOptional<std::filesystem::path>(
      app, "--labels", &inputs.labels,
      "Class names: one per line, or JSON {\"0\": \"...\"} (default: those in the configuration)")
      ->type_name("FILE");
  AddOptional<std::string>(app, "--family", &inputs.family,
                           "Model family, if the names of the tensors do not tell it: " + Join(FamilyNames()))
      ->check(CLI::IsMember(FamilyNames()))
      ->type_name("NAME");
  AddOptional<int>(app, "--heads", &inputs.heads,
                   "Number of attention heads, if no file tells it (default: width / 64)")
      ->check(CLI::Range(1, 4096))
      ->type_name("N");
  app.add_option(
         "--merge-tokens", line->merge_tokens,
         "Token merging: each block merges R similar tokens, which saves computation. Several increasing "
         "numbers make a file with several levels, of which the first is the default")
      ->capture_default_str()
      ->type_name("R[,R...]");
  app.add_flag(
      "--patch-features", line->options.patch_features,
      "Also output a vector for each patch, for vitrine explain --patches. Costs a little time: the last "
      "block must then compute every token");
}

void DeclareImage(CLI::App& app, CommandLine* line) {
  ConversionInputs& inputs = line->options.inputs;
  AddOptional<std::filesystem::path>(
      app, "--preprocessor", &inputs.preprocessor,
      "Preprocessing: preprocessor_config.json, or timm's pretrained_cfg (default: the "
      "one next to the checkpoint)")
      ->type_name("FILE");
  app.add_option(
         "--image-size", line->image_size,
         "Input size in pixels; position embeddings are interpolated (default: from the preprocessing)")
      ->type_name("H[xW]");
  app.add_option(
         "--mean", line->mean,
         "Mean of each channel, for pixels scaled to 0..1 (default: from the preprocessing, or else the "
         "usual one of the family)")
      ->type_name("R,G,B");
  app.add_option("--std", line->deviation,
                 "Standard deviation of each channel, for pixels scaled to 0..1 (default: like --mean)")
      ->type_name("R,G,B");
  AddOptional<double>(
      app, "--crop-pct", &inputs.crop_fraction,
      "Input size divided by the shortest side after resizing, above 0 and at most 1 (default: like "
      "--mean)")
      ->type_name("X");
  AddOptional<std::string>(app, "--interpolation", &inputs.interpolation,
                           "nearest, bilinear, bicubic, lanczos, box or hamming (default: like --mean)")
      ->type_name("NAME");
}

void DeclareRecipe(CLI::App& app, CommandLine* line) {
  app.add_option(
         "--recipe", line->recipe,
         "dynamic: int8 weights and activations, needs no photos; static: int8 with fixed scales for "
         "activations, from --calibrate; mixed: static, dynamic or f32 for each layer, as the allowed error "
         "requires; int4: 4-bit weights, for the smallest file; f32: no quantization")
      ->capture_default_str()
      ->check(CLI::IsMember({"dynamic", "static", "mixed", "int4", "f32"}))
      ->type_name("NAME");
  AddOptional<std::filesystem::path>(
      app, "--calibrate", &line->options.calibrate,
      "Folder of photos like those that the model will see. The recipes static, mixed and int4 are "
      "calibrated on "
      "them, and the error of every recipe is measured on them (default: four synthetic test images)")
      ->type_name("DIR");
  app.add_option("--calibrate-images", line->options.calibration_images,
                 "Use at most N of these photos (default: 64 for static, mixed and int4, else 32)")
      ->check(CLI::Range(1, 100000))
      ->type_name("N");
  AddOptional<double>(
      app, "--min-sqnr", &line->options.budget.min_sqnr_db,
      "mixed: lowest signal-to-noise ratio of the output against f32, in dB (default: 36, or 1 less "
      "than that of dynamic if that is lower)")
      ->check(CLI::Range(0.0, 100.0))
      ->type_name("DB");
  AddOptional<double>(
      app, "--max-accuracy-drop", &line->options.budget.max_accuracy_drop,
      "mixed: how much top-1 accuracy may drop relative to f32, as a fraction (0.01 = one point). "
      "Needs photos sorted into one folder per class, named after the labels (default: no limit)")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("FRACTION");
  CalibrationOptions& calibration = line->options.calibration;
  app.add_option(
         "--observer", line->observer,
         "static, mixed: how to choose the range of activations: min-max, percentile, mean-square, or best: "
         "for each layer the one with the smallest error")
      ->capture_default_str()
      ->check(CLI::IsMember({"best", "min-max", "percentile", "mean-square"}))
      ->type_name("NAME");
  app.add_flag("!--no-smoothing", calibration.smooth,
               "static, mixed: do not move activation outliers into the weights (SmoothQuant)");
  app.add_flag("!--no-tables", calibration.tables,
               "static, mixed: compute activation functions in f32 instead of with int8 tables");
  app.add_flag("!--nearest-rounding", calibration.compensate_rounding,
               "int4: plain rounding instead of error-compensating rounding (GPTQ)");
}

/// Declares the options, in groups for --help.
void Declare(CLI::App& app, CommandLine* line) {
  app.add_option(
         "CHECKPOINT", line->options.inputs.checkpoint,
         "A file (.safetensors, .pth, .pt, .bin, .npz or .onnx), or a folder from the Hugging Face hub")
      ->required()
      ->type_name("");
  app.set_help_flag("-h,--help", "Print this help and exit");
  DeclareOutput(app, line);
  app.option_defaults()->group("Quantization");
  DeclareRecipe(app, line);
  app.option_defaults()->group("Model");
  DeclareModel(app, line);
  app.option_defaults()->group("Image");
  DeclareImage(app, line);
}

/// Parses the values that are lists or names.
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
}

constexpr int kInterrupts[] = {SIGINT, SIGTERM, SIGHUP};
volatile std::sig_atomic_t interrupt = 0;

/// Keeps the signal for the next call of the progress function. A second signal ends the process at once.
void KeepInterrupt(int signal) {
  interrupt = signal;
  for (const int each : kInterrupts) std::signal(each, SIG_DFL);
}

/// Thrown through the conversion, which then leaves the output's folder as it was.
struct Interrupted {};

/// Handles interrupts, except those that were ignored before (nohup).
void HandleInterrupts() {
  for (const int signal : kInterrupts) {
    if (std::signal(signal, KeepInterrupt) == SIG_IGN) std::signal(signal, SIG_IGN);
  }
}

ConversionSummary ConvertWithProgress(const CommandLine& line) {
  Progress bar(!line.json && !line.progress);
  return Convert(line.options, [&](const std::string& step, double fraction) {
    if (interrupt != 0) throw Interrupted();
    bar.Show(step, fraction);
    if (line.progress) std::fprintf(stderr, "%.4f %s\n", fraction, step.c_str());
  });
}

int Run(const CommandLine& line) {
  CheckOptions(line.options);
  if (!line.report.empty()) CheckReport(line.report, line.options);
  HandleInterrupts();
  const ConversionSummary summary = ConvertWithProgress(line);
  if (!line.report.empty()) WriteWholeFile(ReportOf(summary, line.report), line.report);
  std::fputs((line.json ? JsonOf(summary) : TextOf(summary)).c_str(), stdout);
  return FinishOutput(kProgram, 0);
}

/// Prints the error of wrong usage and returns the exit code.
int RefuseUsage(const std::exception& error) {
  PrintError(kProgram, std::string(error.what()) + " (see --help)");
  return kWrongUsage;
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  using namespace vitrine;
  CommandLine line;
  CLI::App app(
      "Converts a trained Vision Transformer to a model file for vitrine, quantizes it to int8,\n"
      "and measures the error against f32.\n\n"
      "  vitrine-convert dinov2-small/ -o dinov2.vit\n"
      "  vitrine-convert deit_tiny.pth -o deit.vit --labels imagenet.txt --report deit.html",
      kProgram);
  app.usage("Usage: vitrine-convert CHECKPOINT -o OUT.vit [OPTIONS]");
  app.formatter(std::make_shared<HelpFormatter>());
  Declare(app, &line);
  try {
    app.parse(argc, argv);
    ParseWords(&line);
  } catch (const CLI::Success& success) {
    return FinishOutput(kProgram, app.exit(success));
  } catch (const std::exception& error) {
    return RefuseUsage(error);
  }
  try {
    return Run(line);
  } catch (const Interrupted&) {
    std::raise(interrupt);  // with the default action, so that a shell sees what ended the command
  } catch (const UsageError& error) {
    return RefuseUsage(error);
  } catch (const std::bad_alloc&) {
    PrintError(kProgram, "not enough memory");
  } catch (const std::exception& error) {
    PrintError(kProgram, error.what());
  }
  return kFailure;
}
