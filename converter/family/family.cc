// SPDX-License-Identifier: Apache-2.0
#include "converter/family/family.h"

#include <algorithm>
#include <memory>

#include "converter/error.h"
#include "converter/family/deduction.h"
#include "converter/family/preprocessing.h"
#include "converter/family/reader.h"
#include "converter/family/table.h"

namespace vitrine {
namespace {

/// The data that a Vit's load functions share.
struct Model {
  Model(const checkpoint::Checkpoint& checkpoint, const Family& family)
      : checkpoint(checkpoint), family(family), names(checkpoint, family) {}

  Reader MakeReader(bool check_only) const {
    return Reader(checkpoint, names, family.order, layout.config.head_size, check_only);
  }

  const checkpoint::Checkpoint& checkpoint;
  const Family& family;
  const Names names;
  Layout layout;
};

bool NamedBy(const Family& family, const Configuration& configuration) {
  return std::any_of(family.configuration_names.begin(), family.configuration_names.end(),
                     [&](const char* name) { return configuration.Names(name); });
}

/// Returns how well a family fits: the fraction of tensors in its table, less a little for each missing slot,
/// more when the configuration or a tensor that only this family has names it; 0: another family. Up to a
/// quarter of the tensors may be unknown; the error about extra tensors then lists them.
double Score(const checkpoint::Checkpoint& checkpoint, const Family& family,
             const Configuration& configuration) {
  constexpr double kEnough = 0.75, kMissing = 0.02, kSign = 0.005, kNamed = 0.2;
  const Names names(checkpoint, family);
  if (!names.has_blocks() || names.explained() < kEnough) return 0;
  const bool named = NamedBy(family, configuration);
  if (!named && family.fits && !family.fits(names)) return 0;
  double score = names.explained() - kMissing * static_cast<double>(names.Missing().size());
  if (family.sign && checkpoint.tensors().contains(family.sign)) score += kSign;
  if (named) score += kNamed;
  return score;
}

const Family* Detect(const checkpoint::Checkpoint& checkpoint, const Configuration& configuration) {
  const Family* best = nullptr;
  double best_score = 0;
  for (const Family* family : Families()) {
    const double score = Score(checkpoint, *family, configuration);
    if (score > best_score) {
      best_score = score;
      best = family;
    }
  }
  return best;
}

const Family& FindFamily(const checkpoint::Checkpoint& checkpoint, const Configuration& configuration,
                         const ConversionInputs& inputs) {
  if (!inputs.family) {
    RefuseOtherModels(checkpoint, configuration);
    const Family* family = Detect(checkpoint, configuration);
    if (!family) RefuseUnknownModel(checkpoint);
    return *family;
  }
  std::string known;
  for (const Family* family : Families()) {
    if (*inputs.family == family->name) return *family;
    known += (known.empty() ? "" : ", ") + std::string(family->name);
  }
  Fail("unknown family ", *inputs.family, ", expected one of ", known);
}

void RefuseExtra(const Family& family, const std::vector<std::string>& extra) {
  if (extra.empty()) return;
  std::string list;
  for (size_t i = 0; i < extra.size() && i < 2; ++i) list += (i ? ", " : "") + extra[i];
  if (extra.size() > 2) list += " (and " + std::to_string(extra.size() - 2) + " more)";
  Fail("checkpoint has tensors that a ", family.title, " does not have: ", list);
}

/// Checks the names before the sizes, so that the error for another model is about its names.
void CheckNames(const Model& model) {
  const bool norms_have_bias = model.names.Has(Slot::kNorm1, Part::kBias);
  if (model.names.depth() > 1 && model.names.Has(Slot::kNorm1, Part::kWeight) && !norms_have_bias) {
    Fail("this is a model with RMSNorm (", model.names.Name(Slot::kNorm1, Part::kBias),
         " is missing): only LayerNorm is supported");
  }
  const std::vector<Slot> missing = model.names.Missing();
  if (!missing.empty()) Fail("checkpoint has no ", model.names.Name(missing.front(), Part::kWeight));
  RefuseExtra(model.family, model.names.Unknown());
}

/// Checks every shape without reading values, then refuses tensors that nothing read.
void CheckTensors(const Model& model) {
  const Reader reader = model.MakeReader(/*check_only=*/true);
  LoadEmbedding(reader, model.layout);
  LoadRotary(reader, model.layout);
  for (int block = 0; block < model.layout.config.depth; ++block) LoadBlock(reader, model.layout, block);
  LoadHead(reader, model.layout);
  RefuseExtra(model.family, model.names.Unused());
}

std::vector<std::string> FittingLabels(const Configuration& configuration, int classes,
                                       std::vector<std::string>* remarks) {
  const std::vector<std::string>& labels = configuration.labels;
  if (labels.empty() || static_cast<int>(labels.size()) == classes) return labels;
  const std::string text = std::to_string(labels.size()) + (labels.size() == 1 ? " label" : " labels") +
                           " for " + std::to_string(classes) + " classes";
  if (!configuration.labels_file.empty()) Fail(configuration.labels_file, ": ", text);
  if (classes > 0) remarks->push_back(text + " in the configuration: the model gets no labels");
  return {};
}

/// Returns "Hugging Face Dinov2ForImageClassification", or the family's title.
std::string Title(const Family& family, const Configuration& configuration) {
  const JsonObject& model = configuration.model;
  if (std::string(family.name).starts_with("hf-") && model.has("architectures")) {
    const nlohmann::json& names = model.object()["architectures"];
    if (names.is_array() && !names.empty() && names[0].is_string()) {
      return "Hugging Face " + names[0].get<std::string>();
    }
  }
  return family.title;
}

}  // namespace

std::span<const Family* const> Families() {
  static const Family* const kFamilies[] = {
      &Timm(),
      &TimmEva(),
      &TimmBeit(),
      &DinoHub(),
      &Dinov3Hub(),
      &HuggingFaceVit(),
      &HuggingFaceDeit(),
      &HuggingFaceIJepa(),
      &HuggingFaceDinov2(),
      &HuggingFaceDinov3(),
      &HuggingFaceBeit(),
      &HuggingFaceClip(),
      &HuggingFaceSiglip(),
      &Torchvision(),
      &GoogleFlax(),
  };
  return kFamilies;
}

checkpoint::Checkpoint OpenCheckpoint(const std::filesystem::path& file_or_folder) {
  return checkpoint::Checkpoint::Open(file_or_folder, AllNamePatterns());
}

Vit MakeVit(const checkpoint::Checkpoint& checkpoint, const ConversionInputs& inputs) {
  const Configuration configuration = ReadConfiguration(inputs, checkpoint.metadata());
  const Family& family = FindFamily(checkpoint, configuration, inputs);
  const auto model = std::make_shared<Model>(checkpoint, family);
  Vit vit;
  vit.remarks = configuration.remarks;
  CheckNames(*model);
  model->layout = DeduceLayout(family, model->names, configuration, inputs, &vit.remarks);
  ChooseImageSize(configuration, inputs, &model->layout, &vit.remarks);
  CheckTensors(*model);
  model->layout.config.rotary = LoadRotary(model->MakeReader(false), model->layout);

  model->layout.config.family = Title(family, configuration);
  vit.config = model->layout.config;
  vit.image =
      MakeImageConfig(configuration.preprocessor, model->layout.image, inputs, vit.config, &vit.remarks);
  vit.labels = FittingLabels(configuration, vit.config.classes, &vit.remarks);
  vit.load_embedding = [model] { return LoadEmbedding(model->MakeReader(false), model->layout); };
  vit.load_block = [model](int block) { return LoadBlock(model->MakeReader(false), model->layout, block); };
  vit.load_head = [model] { return LoadHead(model->MakeReader(false), model->layout); };
  return vit;
}

std::vector<std::string> FamilyNames() {
  std::vector<std::string> names;
  for (const Family* family : Families()) names.push_back(family->name);
  return names;
}

}  // namespace vitrine
