// SPDX-License-Identifier: Apache-2.0
#include "converter/convert.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <vitrine/vitrine.hpp>

#include "converter/calibrate/calibrate.h"
#include "converter/checkpoint/checkpoint.h"
#include "converter/lower/lower.h"
#include "converter/lower/merge_tokens.h"
#include "converter/lower/model_builder.h"
#include "converter/lower/output_file.h"
#include "converter/measure/check_images.h"

namespace vitrine {
namespace {

constexpr int kSyntheticImages = 4, kImagesToCheck = 32, kImagesToCalibrate = 64;
// The fractions of the time at the end of each step: choosing types, calibrating, converting. Measuring is the rest.
constexpr double kChooseShare = 0.85, kCalibrateShare = 0.9, kConvertShare = 0.4;

/// Returns a progress function for the part of `progress` from `first` to `last`.
ProgressFunction Part(const ProgressFunction& progress, double first, double last) {
  return [=](const std::string& what, double fraction) { progress(what, first + (last - first) * fraction); };
}

bool IsCalibrated(Recipe recipe) { return recipe != Recipe::kDynamic && recipe != Recipe::kF32; }

/// Returns the class of each image, which is the name of its folder.
std::vector<int> ClassesOf(const CheckImages& images, const std::vector<std::string>& labels) {
  std::vector<int> classes;
  for (const std::string& folder : images.folders) {
    const auto label = std::find(labels.begin(), labels.end(), folder);
    if (label == labels.end()) {
      Fail("--max-accuracy-drop: the photos' folder '", folder, "' is none of the model's ", labels.size(),
           " labels; name each folder after a label");
    }
    classes.push_back(static_cast<int>(label - labels.begin()));
  }
  return classes;
}

/// Calibrates the whole model, then chooses the type of each layer.
void PlanMixed(const Vit& vit, const CheckImages& images, const ConvertOptions& options,
               Calibrator* calibrator, const ProgressFunction& progress, Plan* plan) {
  constexpr double kShare = 0.4;  // of the time; choosing types is the rest
  std::vector<int> classes;
  if (options.budget.max_accuracy_drop) classes = ClassesOf(images, vit.labels);
  for (int segment = 0; !calibrator->done(); ++segment) {
    calibrator->PlanNext(plan, [&](double fraction) {
      progress("calibrating", kShare * (segment + fraction) / (vit.config.depth + 2));
    });
  }
  ChooseTypes(
      vit, {images, calibrator->reference().outputs(), classes}, calibrator->rows(), options.budget,
      options.threads, [&](double fraction) { progress("choosing types", kShare + (1 - kShare) * fraction); },
      plan);
}

/// Lowers segment by segment and returns the layer of each operator. Calibrates each segment first if there is a
/// calibrator.
std::vector<Layer> Lower(const Vit& vit, Plan* plan, Calibrator* calibrator, ModelBuilder* builder,
                         const ProgressFunction& progress) {
  Lowering lowering(builder, vit.config, *plan);
  for (int segment = 0; segment <= vit.config.depth + 1; ++segment) {
    const auto show = [&](double fraction) {
      const bool is_block = segment > 0 && segment <= vit.config.depth;
      const std::string what = calibrator == nullptr ? "converting" : "calibrating";
      if (is_block)
        progress(what + " block " + std::to_string(segment), (segment - 1 + fraction) / vit.config.depth);
    };
    if (calibrator != nullptr) calibrator->PlanNext(plan, show);
    LowerSegment(vit, segment, *plan, &lowering);
    show(1);
  }
  return lowering.operators();
}

/// Replaces the program by the first level, adds the other levels, and replaces `layers` by those of the first level.
void MakeLevels(const VitConfig& config, const std::vector<int>& merged_tokens, schema::ModelT* model,
                std::vector<Layer>* layers) {
  for (size_t i = 1; i < merged_tokens.size(); ++i) {
    model->levels.push_back(
        std::make_unique<schema::LevelT>(MergeTokens(*model, *layers, config, merged_tokens[i]).level));
  }
  MergedProgram first = MergeTokens(*model, *layers, config, merged_tokens.front());
  model->merged_tokens = first.level.merged_tokens;
  model->tensors = std::move(first.level.tensors);
  model->operators = std::move(first.level.operators);
  *layers = std::move(first.operators);
}

/// Fills in the source, the preprocessing and the labels, with room for what is measured later.
void FillMetadata(const checkpoint::Checkpoint& checkpoint, const Vit& vit, const ConvertOptions& options,
                  const std::string& sha256, const std::vector<uint8_t>& reference_pixels,
                  schema::ModelT* model) {
  model->producer = std::string("vitrine-convert ") + Version();
  model->family = vit.config.family;
  model->recipe = Name(options.recipe);
  model->source = std::make_unique<schema::SourceT>();
  model->source->file = options.inputs.checkpoint.filename().string();
  model->source->format = checkpoint.format();
  model->source->sha256 = sha256;
  model->image = ImageInputOf(vit.config, vit.image);
  model->labels = vit.labels;
  model->reference = std::make_unique<schema::ReferenceT>();
  model->reference->pixels = reference_pixels;
  const int output = model->logits >= 0 ? model->logits : model->embedding;
  const schema::TensorT& tensor = *model->tensors[static_cast<size_t>(output)];
  model->reference->output.resize(size_t{tensor.rows} * tensor.columns);
  model->fidelity = std::make_unique<schema::FidelityT>();
  model->fidelity->operator_sqnr_db.resize(model->operators.size());
}

/// Writes what was measured into the metadata.
void Record(const Fidelity& fidelity, schema::ModelT* model) {
  model->reference->output = fidelity.first_output;
  model->fidelity->images = static_cast<uint32_t>(fidelity.images);
  model->fidelity->synthetic = fidelity.synthetic;
  model->fidelity->sqnr_db = static_cast<float>(fidelity.levels.front().sqnr_db);
  model->fidelity->agreement = static_cast<float>(fidelity.levels.front().agreement);
  for (size_t i = 1; i < fidelity.levels.size(); ++i) {
    model->levels[i - 1]->sqnr_db = static_cast<float>(fidelity.levels[i].sqnr_db);
    model->levels[i - 1]->agreement = static_cast<float>(fidelity.levels[i].agreement);
  }
  model->fidelity->operator_sqnr_db.assign(fidelity.operator_sqnr_db.begin(),
                                           fidelity.operator_sqnr_db.end());
}

ConversionSummary Summarize(const WrittenModel& file, const Fidelity& fidelity) {
  const Vit& vit = file.vit;
  const Result<Model> model = Model::Open(file.path.c_str());
  if (!model.ok()) Fail("internal: the file does not load: ", model.status().message());
  const ModelInfo& info = model.value().info();
  ConversionSummary summary;
  summary.file_bytes = info.file_bytes;
  summary.family = info.family;
  summary.recipe = info.recipe;
  summary.source_format = info.source_format;
  summary.source_sha256 = info.source_sha256;
  summary.preprocessing = Describe(vit.config, vit.image);
  summary.image_height = vit.config.image_height;
  summary.image_width = vit.config.image_width;
  summary.tokens = vit.config.tokens();
  summary.classes = vit.config.classes;
  summary.depth = vit.config.depth;
  summary.width = vit.config.width;
  summary.heads = vit.config.heads;
  summary.macs = info.macs;
  summary.parameters = info.parameters;
  summary.arena_bytes = fidelity.arena_bytes;
  summary.fidelity = fidelity;
  for (size_t i = 0; i < model.value().operators().size(); ++i) {
    const OperatorInfo& op = model.value().operators()[i];
    summary.operators.push_back({file.operators[i], op.name, op.kind, op.type, op.macs, op.parameters,
                                 double{op.sqnr_db}, fidelity.operator_values[i]});
  }
  for (int i = 0; i < model.value().label_count(); ++i) summary.labels.push_back(model.value().label(i));
  for (const LevelInfo& level : model.value().levels()) {
    summary.levels.push_back(
        {level.merged_tokens, level.macs, double{level.sqnr_db}, double{level.agreement}});
  }
  return summary;
}

}  // namespace

ConversionSummary Convert(const ConvertOptions& options, const ProgressFunction& progress) {
  const auto start = std::chrono::steady_clock::now();
  CheckOptions(options);
  const checkpoint::Checkpoint checkpoint = OpenCheckpoint(options.inputs.checkpoint);
  Vit vit = MakeVit(checkpoint, options.inputs);
  vit.config.keeps_patches = options.patch_features;
  vit.config.keys_are_compared = options.merged_tokens.back() > 0;
  CheckMerging(vit.config, options.merged_tokens.back());
  const CheckImages synthetic = SyntheticImages(vit.config, kSyntheticImages);
  const int most = options.calibration_images > 0 ? options.calibration_images
                   : IsCalibrated(options.recipe) ? kImagesToCalibrate
                                                  : kImagesToCheck;
  const CheckImages images =
      options.calibrate ? PhotosIn(*options.calibrate, vit.config, vit.image, most) : synthetic;

  OutputFile file(options.output);
  ModelBuilder builder(&file);
  std::future<std::string> sha256 = std::async(std::launch::async, [&] { return checkpoint.Sha256(); });
  Plan plan(options.recipe);
  std::optional<Calibrator> calibrator;
  if (IsCalibrated(options.recipe)) calibrator.emplace(vit, images, options.calibration, options.threads);
  const bool is_mixed = options.recipe == Recipe::kMixed;
  const double chosen = is_mixed ? kChooseShare : 0, lowered = calibrator ? kCalibrateShare : kConvertShare;
  if (is_mixed) PlanMixed(vit, images, options, &*calibrator, Part(progress, 0, chosen), &plan);
  std::vector<Layer> layers = Lower(vit, &plan, calibrator && !is_mixed ? &*calibrator : nullptr, &builder,
                                    Part(progress, chosen, lowered));
  MakeLevels(vit.config, options.merged_tokens, &builder.model, &layers);
  FillMetadata(checkpoint, vit, options, sha256.get(), synthetic.pixels.front(), &builder.model);
  file.Assemble(builder.Metadata());

  const WrittenModel written{file.path(), std::move(layers), vit, plan};
  const Fidelity fidelity = MeasureFidelity(
      written, images, synthetic.pixels.front(), calibrator ? &calibrator->reference().outputs() : nullptr,
      options.threads,
      [&](double fraction) { progress("checking against f32", lowered + (1 - lowered) * fraction); });
  Record(fidelity, &builder.model);
  file.ReplaceMetadata(builder.Metadata());

  ConversionSummary summary = Summarize(written, fidelity);
  file.Commit();
  summary.output = options.output;
  summary.source_bytes = checkpoint.file_bytes();
  summary.remarks = checkpoint.notes();
  summary.remarks.insert(summary.remarks.end(), vit.remarks.begin(), vit.remarks.end());
  if (calibrator && images.synthetic)
    summary.remarks.push_back(
        "weights are rounded by synthetic test images; with photos (--calibrate DIR) the error is smaller");
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return summary;
}

}  // namespace vitrine
