// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "converter/error.h"
#include "converter/family/deduction.h"
#include "converter/family/preprocessing.h"
#include "converter/vit/positions.h"

namespace vitrine {
namespace {

constexpr int kMostPixels = 16384, kMostPatches = 1 << 16, kUsualSide = 224;

std::string Text(ImageSize size) { return std::to_string(size.height) + "x" + std::to_string(size.width); }

}  // namespace

using Shape = std::vector<int64_t>;

void Deduction::DeducePositions() {
  const Shape registers = names_.Shape(Slot::kRegisters, Part::kWeight);
  const int singles = names_.Has(Slot::kClassToken) + names_.Has(Slot::kDistillationToken);
  config_.prefix_tokens = singles + (registers.size() >= 2 ? Whole(registers[registers.size() - 2]) : 0);
  if (registers.empty() &&
      model_.Int({"reg_tokens", "num_reg_tokens", "num_register_tokens"}).value_or(0) > 0) {
    Fail("checkpoint has no ", names_.Name(Slot::kRegisters, Part::kWeight));
  }
  DeducePositionBias();
  const Shape shape = names_.Shape(Slot::kPositions, Part::kWeight);
  const bool may_have_none =
      std::none_of(family_.slots.begin(), family_.slots.end(), [](const SlotName& entry) {
        return entry.slot == Slot::kPositions && entry.presence == SlotName::kAlways;
      });
  if (shape.empty() && may_have_none) return;
  if (shape.size() < 2) Fail("checkpoint has no ", names_.Name(Slot::kPositions, Part::kWeight));
  const int rows = Whole(shape[shape.size() - 2]);
  // Class and register tokens may or may not have a row of their own.
  std::vector<int> prefixes = {singles, config_.prefix_tokens, 0};
  if (model_.Flag({"no_embed_class"}).value_or(false))
    std::rotate(prefixes.begin(), prefixes.end() - 1, prefixes.end());
  const auto take = [&](PatchGrid grid) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](int prefix) { return rows == prefix + grid.cells() && TakeGrid(grid, prefix); });
  };
  const PatchGrid configured = PatchesOf(model_.Size({"img_size", "image_size"}));
  if (take(configured)) return;
  for (const int prefix : prefixes) {
    const int side = static_cast<int>(std::lround(std::sqrt(std::max(0, rows - prefix))));
    if (rows == prefix + side * side && TakeGrid({side, side}, prefix)) return;
  }
  if (take(PatchesOf(inputs_.image_size))) return;  // not a square, but the requested size
  const std::string name = names_.Name(Slot::kPositions, Part::kWeight);
  const Slot lacking = names_.Has(Slot::kClassToken) ? Slot::kDistillationToken : Slot::kClassToken;
  const int side = static_cast<int>(std::lround(std::sqrt(std::max(0, rows - singles - 1))));
  const bool lacks_one = rows == singles + 1 + side * side || rows == singles + 1 + configured.cells();
  if (lacks_one && !names_.Name(lacking, Part::kWeight).empty()) {
    Fail("checkpoint has no ", names_.Name(lacking, Part::kWeight), ", for which ", name, " has a row");
  }
  Fail(name, ": found ", rows, " rows, expected ", singles,
       " for class and distillation tokens and one for each patch of a grid");
}

void Deduction::DeducePositionBias() {
  for (const Slot slot : {Slot::kSharedPositionBias, Slot::kPositionBias}) {
    if (!names_.Has(slot)) continue;
    if (config_.prefix_tokens != 1) {
      Fail(names_.Name(slot, Part::kWeight), ": a relative position bias needs one class token, found ",
           config_.prefix_tokens);
    }
    std::optional<ImageSize> size = model_.Size({"img_size", "image_size"});
    if (!size) size = inputs_.image_size;
    const int rows = slot == Slot::kPositionBias ? MostCommon(slot, {{Part::kWeight, 0}})
                                                 : Whole(names_.Shape(slot, Part::kWeight)[0]);
    layout_.bias_grid = PositionBiasGrid(rows, PatchesOf(size), names_.Name(slot, Part::kWeight));
  }
}

PatchGrid Deduction::PatchesOf(const std::optional<ImageSize>& size) const {
  if (!size) return {};
  return {size->height / config_.patch_height, size->width / config_.patch_width};
}

bool Deduction::TakeGrid(PatchGrid grid, int prefix) {
  if (grid.height < 1 || grid.width < 1) return false;
  layout_.stored_grid = grid;
  layout_.stored_prefix = prefix;
  return true;
}

void Deduction::DeduceClasses() {
  const Shape shape = names_.Shape(Slot::kClassifier, Part::kWeight);
  if (shape.size() == 2) config_.classes = Whole(shape[family_.order == Order::kTorch ? 0 : 1]);
  if (const std::optional<int> classes = model_.Int({"num_classes"})) config_.classes = *classes;
  const bool classifies = model_.has("architectures") && model_.object()["architectures"].dump().find(
                                                             "ForImageClassification") != std::string::npos;
  const bool half = names_.Has(Slot::kClassifier) || names_.Has(Slot::kDistillationClassifier);
  if (shape.empty() && (classifies || half))
    Fail("checkpoint has no ", names_.Name(Slot::kClassifier, Part::kWeight));
  if (config_.classes == 0 && !shape.empty()) {
    remarks_.push_back(model_.file() + " has num_classes 0: the classifier is left out");
    names_.LeaveOut(Slot::kClassifier);
    names_.LeaveOut(Slot::kDistillationClassifier);
  }
}

void Deduction::DeducePooling() {
  const std::string pool = model_.Text({"global_pool"}).value_or("");
  const bool class_token = names_.Has(Slot::kClassToken);
  const Shape classifier = names_.Shape(Slot::kClassifier, Part::kWeight);
  if (pool == "max" || pool == "avgmax" || pool == "prr") Fail("global_pool ", pool, " is not supported");
  if (names_.Has(Slot::kLatent) || names_.Has(Slot::kLatentProjection)) {
    config_.pooling = Pooling::kAttention;
  } else if (names_.Has(Slot::kDistillationClassifier) && config_.classes > 0) {
    config_.pooling = Pooling::kClassAndDistillation;
  } else if (pool == "avg" || !class_token) {
    config_.pooling = Pooling::kPatchMean;
  } else if (pool.empty() && names_.Has(Slot::kPoolNorm) && !names_.Has(Slot::kNorm)) {
    config_.pooling = Pooling::kPatchMean;
    if (!model_.has("use_mean_pooling"))
      remarks_.push_back("pooling is the mean of the patches, as in models with fc_norm and without norm");
  } else if (!names_.Has(Slot::kPooler) && classifier.size() == 2 && classifier[1] == 2 * config_.width) {
    config_.pooling = Pooling::kClassAndPatchMean;
  }
}

Layout DeduceLayout(const Family& family, const Names& names, const Configuration& configuration,
                    const ConversionInputs& inputs, std::vector<std::string>* remarks) {
  Layout layout = Deduction(family, names, configuration, inputs, remarks).Run();
  if (family.settle) family.settle(configuration, names, &layout);
  if (!layout.remark.empty()) remarks->push_back(layout.remark);
  return layout;
}

void ChooseImageSize(const Configuration& configuration, const ConversionInputs& inputs, Layout* layout,
                     std::vector<std::string>* remarks) {
  VitConfig& config = layout->config;
  const PatchGrid bias = layout->bias_grid,
                  stored = layout->stored_grid.cells() > 0 ? layout->stored_grid : bias;
  ImageSize size{stored.height * config.patch_height, stored.width * config.patch_width};
  const std::optional<ImageSize> configured = configuration.model.Size({"img_size", "image_size"}),
                                 preprocessed = PreprocessedSize(configuration.preprocessor);
  if (configured) size = *configured;
  if (preprocessed) size = *preprocessed;
  if (stored.cells() == 0 && !configured && !preprocessed && !inputs.image_size) {
    size = {kUsualSide / config.patch_height * config.patch_height,
            kUsualSide / config.patch_width * config.patch_width};
    remarks->push_back("assumed an input of " + Text(size) + "; use --image-size to change this");
  }
  if (inputs.image_size) {
    size = *inputs.image_size;
    if (size.height < 1 || size.width < 1 || size.height % config.patch_height ||
        size.width % config.patch_width) {
      Fail("image size ", Text(size), " is not a multiple of the patch size ",
           Text({config.patch_height, config.patch_width}));
    }
  }
  const PatchGrid grid{size.height / config.patch_height, size.width / config.patch_width};
  if (size.height > kMostPixels || size.width > kMostPixels || grid.cells() > kMostPatches) {
    Fail("image size ", Text(size), " is too large: at most ", kMostPixels, " pixels a side and ",
         kMostPatches, " patches");
  }
  if (grid.height < 1 || grid.width < 1) {
    Fail("image size ", Text(size), " is smaller than a patch of ",
         Text({config.patch_height, config.patch_width}));
  }
  if (bias.cells() > 0 && !(grid == bias) && !layout->bias_resizes) {
    Fail("image size ", Text(size), ": the relative position bias is made for ",
         Text({bias.height, bias.width}), " patches; this model's way of resampling it is not supported");
  }
  config.image_height = size.height;
  config.image_width = size.width;
  if (grid == stored || stored.cells() == 0) return;
  remarks->push_back("position embeddings resampled from " + Text({stored.height, stored.width}) + " to " +
                     Text({grid.height, grid.width}) + " patches for an input of " + Text(size));
}

}  // namespace vitrine
