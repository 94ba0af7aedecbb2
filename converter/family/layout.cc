// SPDX-License-Identifier: Apache-2.0
#include "converter/family/layout.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "converter/error.h"
#include "converter/family/preprocessing.h"

namespace vitrine {
namespace {

using Shape = std::vector<int64_t>;

/// Collects facts one after the other; each may use those before it.
class Inference {
 public:
  Inference(const Family& family, const Names& names, const Configuration& configuration,
            const ConversionInputs& inputs, std::vector<std::string>* remarks)
      : family_(family), names_(names), model_(configuration.model), inputs_(inputs), remarks_(*remarks) {}

  Layout Run() {
    config_.norm_epsilon = static_cast<float>(
        model_.Number({"layer_norm_eps", "norm_eps", "layer_norm_epsilon"}).value_or(family_.norm_epsilon));
    InferPatch();
    InferWidth();
    InferHeads();
    InferMlp();
    InferActivation();
    InferPositions();
    InferClasses();
    InferPooling();
    // An argument that is not given has timm's default, once there are arguments.
    layout_.qkv_bias = model_.Flag({"qkv_bias"}).value_or(model_.has("embed_dim"));
    layout_.linear_bias = model_.Flag({"proj_bias"}).value_or(true);
    layout_.image = family_.image;
    layout_.positions = family_.positions;
    return layout_;
  }

 private:
  struct Voters {
    Part part;
    size_t dimension;
  };

  /// The value that most blocks have, so that one misshapen tensor is named and not believed. 0 when there is none.
  int MostCommon(Slot slot, std::initializer_list<Voters> voters) const {
    std::map<int64_t, int> votes;
    for (int block = 0; block < names_.depth(); ++block) {
      for (const auto& [part, dimension] : voters) {
        const Shape shape = names_.Shape(slot, part, block);
        if (dimension < shape.size()) ++votes[shape[dimension]];
      }
    }
    int64_t best = 0;
    for (const auto& [value, count] : votes) {
      if (best == 0 || count > votes[best]) best = value;
    }
    return Whole(best);
  }

  /// A dimension as an int; files hold any number.
  static int Whole(int64_t value) { return value > 0 && value <= (1 << 24) ? static_cast<int>(value) : 0; }

  /// Outputs and inputs of a block's linear layer in the file's order.
  int Outputs(Slot slot) const {
    return MostCommon(slot, {{Part::kWeight, family_.order == Order::kTorch ? 0u : 1u}, {Part::kBias, 0}});
  }
  int Inputs(Slot slot) const {
    return MostCommon(slot, {{Part::kWeight, family_.order == Order::kTorch ? 1u : 0u}});
  }

  void InferPatch() {
    Shape shape = names_.Shape(Slot::kPatch, Part::kWeight);
    if (shape.empty()) Fail("checkpoint has no ", names_.Name(Slot::kPatch, Part::kWeight));
    const std::optional<ImageSize> size = model_.Size({"patch_size"});
    const int channels = model_.Int({"num_channels", "in_chans", "in_channels"}).value_or(0);
    if (shape.size() == 4) {
      if (family_.order == Order::kFlax) shape = {shape[3], shape[2], shape[0], shape[1]};
      config_.channels = channels ? channels : Whole(shape[1]);
      config_.patch_height = size ? size->height : Whole(shape[2]);
      config_.patch_width = size ? size->width : Whole(shape[3]);
    } else if (size) {
      config_.channels = channels ? channels : 3;
      config_.patch_height = size->height;
      config_.patch_width = size->width;
    }
    if (config_.patch_height < 1 || config_.patch_width < 1 || config_.channels < 1 || config_.channels > 4 ||
        config_.patch_height > 512 || config_.patch_width > 512) {
      Fail(names_.Name(Slot::kPatch, Part::kWeight), ": expected [width, 1 to 4 channels, patch height, patch width], "
           "found ", checkpoint::ShapeText(names_.Shape(Slot::kPatch, Part::kWeight)));
    }
    config_.width = Whole(shape[0]);
  }

  void InferWidth() {
    const int norm_width = MostCommon(Slot::kNorm1, {{Part::kWeight, 0}, {Part::kBias, 0}});
    if (norm_width) config_.width = norm_width;
    if (const std::optional<int> width = model_.Int({"embed_dim", "hidden_size", "hidden_dim"})) {
      if (norm_width && *width != norm_width) Contradiction("width", *width, norm_width);
      config_.width = *width;
    }
    if (config_.width < 1) Fail("the model's width cannot be told from ", names_.Name(Slot::kNorm1, Part::kWeight));
    config_.depth = names_.depth();
    if (const std::optional<int> depth = model_.Int({"depth", "num_hidden_layers", "num_layers"})) {
      if (*depth != config_.depth) Contradiction("number of blocks", *depth, config_.depth);
    }
  }

  [[noreturn]] void Contradiction(const char* what, int said, int found) const {
    Fail(model_.file(), " does not fit the checkpoint: ", what, " is ", said, " there and ", found, " here");
  }

  void InferHeads() {
    const bool flax = family_.order == Order::kFlax;
    const int flax_heads = flax ? MostCommon(Slot::kQuery, {{Part::kBias, 0}}) : 0;
    int attention_width = config_.width;
    if (names_.Has(Slot::kQkv)) {
      attention_width = Outputs(Slot::kQkv) / 3;
    } else if (flax) {
      attention_width = flax_heads * MostCommon(Slot::kQuery, {{Part::kBias, 1}});
    } else if (names_.Has(Slot::kQuery)) {
      attention_width = Outputs(Slot::kQuery);
    }
    if (attention_width < 1) attention_width = config_.width;
    const int norm_size = MostCommon(Slot::kQueryNorm, {{Part::kWeight, 0}});
    if (inputs_.heads) {
      config_.heads = *inputs_.heads;
    } else if (const std::optional<int> heads = model_.Int({"num_heads", "num_attention_heads"})) {
      config_.heads = *heads;
    } else if (flax) {
      config_.heads = flax_heads;
    } else if (norm_size) {
      config_.heads = attention_width / norm_size;
    } else {
      AssumeHeads(attention_width);
    }
    if (config_.heads < 1 || attention_width % config_.heads != 0) {
      Fail(config_.heads, " heads do not divide the attention's width of ", attention_width,
           inputs_.heads ? "" : "; --heads gives the right number");
    }
    config_.head_size = attention_width / config_.heads;
    config_.attention_scale = 1 / std::sqrt(static_cast<double>(config_.head_size));
    if (const std::optional<double> scale = model_.Number({"qk_scale"})) config_.attention_scale = *scale;
  }

  void AssumeHeads(int width) {
    // ViT-H, So400m, g and G have 16 heads of 80, 72, 88 and 104; everybody else has heads of 64.
    const bool big = width == 1152 || width == 1280 || width == 1408 || width == 1664;
    config_.heads = big ? 16 : width / 64;
    if (config_.heads < 1 || width % config_.heads != 0) {
      Fail("the number of heads is not in the checkpoint, and width ", width, " is no multiple of 64: use --heads");
    }
    remarks_.push_back("assumed " + std::to_string(config_.heads) + " heads of " +
                       std::to_string(width / config_.heads) + "; --heads or --config says otherwise");
  }

  void InferMlp() {
    const int hidden = Inputs(Slot::kFc2);
    const int outputs = Outputs(Slot::kFc1), bias = MostCommon(Slot::kFc1, {{Part::kBias, 0}});
    config_.mlp_width = model_.Int({"intermediate_size", "mlp_dim"}).value_or(hidden);
    if (names_.Has(Slot::kFc1Gate)) {
      config_.gated_mlp = true;
    } else if (hidden && outputs == 2 * hidden) {
      config_.gated_mlp = true;
      config_.mlp_width = hidden;
    } else if (outputs != hidden && outputs == bias) {
      config_.mlp_width = outputs;   // two against one: it is fc2 that is misshapen
    }
    if (config_.mlp_width < 1) Fail("checkpoint has no ", names_.Name(Slot::kFc2, Part::kWeight));
    const std::string layer = model_.Text({"mlp_layer"}).value_or("");
    const bool known = layer.empty() || layer == "Mlp" || layer == "SwiGLUPacked" || layer == "SwiGLU";
    if (!known) Fail(model_.file(), ": mlp_layer ", layer, " is not supported, only Mlp, SwiGLUPacked and SwiGLU");
  }

  void InferActivation() {
    static const std::map<std::string, Activation> kNames = {
        {"gelu", Activation::kGeluErf},        {"gelu_python", Activation::kGeluErf},
        {"gelu_tanh", Activation::kGeluTanh},  {"gelu_new", Activation::kGeluTanh},
        {"gelu_fast", Activation::kGeluTanh},  {"gelu_pytorch_tanh", Activation::kGeluTanh},
        {"quick_gelu", Activation::kQuickGelu}, {"quickgelu", Activation::kQuickGelu},
        {"silu", Activation::kSilu},           {"swish", Activation::kSilu},
        {"relu", Activation::kRelu},           {"tanh", Activation::kTanh},
    };
    config_.activation = config_.gated_mlp ? Activation::kSilu : family_.activation;
    // Hugging Face's SwiGLU is SiLU whatever hidden_act says; timm's takes act_layer.
    const std::optional<std::string> name = config_.gated_mlp ? model_.Text({"act_layer"})
                                                              : model_.Text({"act_layer", "hidden_act"});
    if (!name) return;
    const auto found = kNames.find(*name);
    if (found == kNames.end()) Fail(model_.file(), ": activation ", *name, " is not supported");
    config_.activation = found->second;
  }

  void InferPositions() {
    const Shape registers = names_.Shape(Slot::kRegisters, Part::kWeight);
    const int singles = names_.Has(Slot::kClassToken) + names_.Has(Slot::kDistillationToken);
    config_.prefix_tokens = singles + (registers.size() >= 2 ? Whole(registers[registers.size() - 2]) : 0);
    if (registers.empty() && model_.Int({"reg_tokens", "num_register_tokens"}).value_or(0) > 0) {
      Fail("checkpoint has no ", names_.Name(Slot::kRegisters, Part::kWeight));
    }
    const Shape shape = names_.Shape(Slot::kPositions, Part::kWeight);
    if (shape.size() < 2) Fail("checkpoint has no ", names_.Name(Slot::kPositions, Part::kWeight));
    const int rows = Whole(shape[shape.size() - 2]);
    // Class and register tokens may or may not have a row of their own.
    std::vector<int> prefixes = {singles, config_.prefix_tokens, 0};
    if (model_.Flag({"no_embed_class"}).value_or(false)) std::rotate(prefixes.begin(), prefixes.end() - 1, prefixes.end());
    if (const std::optional<ImageSize> size = model_.Size({"img_size", "image_size"})) {
      const Grid grid{size->height / config_.patch_height, size->width / config_.patch_width};
      for (const int prefix : prefixes) {
        if (rows == prefix + grid.cells() && TakeGrid(grid, prefix)) return;
      }
    }
    for (const int prefix : prefixes) {
      const int side = static_cast<int>(std::lround(std::sqrt(std::max(0, rows - prefix))));
      if (rows == prefix + side * side && TakeGrid({side, side}, prefix)) return;
    }
    const std::string name = names_.Name(Slot::kPositions, Part::kWeight);
    const Slot lacking = names_.Has(Slot::kClassToken) ? Slot::kDistillationToken : Slot::kClassToken;
    const int side = static_cast<int>(std::lround(std::sqrt(std::max(0, rows - singles - 1))));
    if (rows == singles + 1 + side * side && !names_.Name(lacking, Part::kWeight).empty()) {
      Fail("checkpoint has no ", names_.Name(lacking, Part::kWeight), ", for which ", name, " has a row");
    }
    Fail(name, ": ", rows, " rows are not ", singles, " for class and distillation tokens and a grid of patches");
  }

  bool TakeGrid(Grid grid, int prefix) {
    if (grid.height < 1 || grid.width < 1) return false;
    layout_.stored_grid = grid;
    layout_.stored_prefix = prefix;
    return true;
  }

  void InferClasses() {
    const Shape shape = names_.Shape(Slot::kClassifier, Part::kWeight);
    if (shape.size() == 2) config_.classes = Whole(shape[family_.order == Order::kTorch ? 0 : 1]);
    if (const std::optional<int> classes = model_.Int({"num_classes"})) config_.classes = *classes;
    const bool classifies = model_.has("architectures") &&
                            model_.object()["architectures"].dump().find("ForImageClassification") != std::string::npos;
    const bool half = names_.Has(Slot::kClassifier) || names_.Has(Slot::kDistillationClassifier);
    if (shape.empty() && (classifies || half)) Fail("checkpoint has no ", names_.Name(Slot::kClassifier, Part::kWeight));
    if (config_.classes == 0 && !shape.empty()) {
      remarks_.push_back(model_.file() + " says num_classes 0: left the classifier out");
      names_.LeaveOut(Slot::kClassifier);
      names_.LeaveOut(Slot::kDistillationClassifier);
    }
  }

  void InferPooling() {
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
      remarks_.push_back("pools the mean of the patches, as models with fc_norm and without norm do");
    } else if (!names_.Has(Slot::kPooler) && classifier.size() == 2 && classifier[1] == 2 * config_.width) {
      config_.pooling = Pooling::kClassAndPatchMean;
    }
  }

  const Family& family_;
  const Names& names_;
  const Settings& model_;
  const ConversionInputs& inputs_;
  std::vector<std::string>& remarks_;
  Layout layout_;
  VitConfig& config_ = layout_.config;
};

std::string Text(ImageSize size) { return std::to_string(size.height) + "x" + std::to_string(size.width); }

}  // namespace

Layout InferLayout(const Family& family, const Names& names, const Configuration& configuration,
                   const ConversionInputs& inputs, std::vector<std::string>* remarks) {
  Layout layout = Inference(family, names, configuration, inputs, remarks).Run();
  if (family.settle) family.settle(configuration, names, &layout);
  return layout;
}

void ChooseImageSize(const Configuration& configuration, const ConversionInputs& inputs, Layout* layout,
                     std::vector<std::string>* remarks) {
  VitConfig& config = layout->config;
  const Grid stored = layout->stored_grid;
  const ImageSize made_for = configuration.model.Size({"img_size", "image_size"})
                                 .value_or(ImageSize{stored.height * config.patch_height,
                                                     stored.width * config.patch_width});
  ImageSize size = PreprocessedSize(configuration.preprocessor).value_or(made_for);
  if (inputs.image_size) {
    size = *inputs.image_size;
    if (size.height < 1 || size.width < 1 || size.height % config.patch_height || size.width % config.patch_width) {
      Fail("image size ", Text(size), " is not a multiple of the patch size ",
           Text({config.patch_height, config.patch_width}));
    }
  }
  const Grid grid{size.height / config.patch_height, size.width / config.patch_width};
  if (grid.height < 1 || grid.width < 1) {
    Fail("image size ", Text(size), " is smaller than a patch of ", Text({config.patch_height, config.patch_width}));
  }
  config.image_height = size.height;
  config.image_width = size.width;
  if (grid == stored) return;
  remarks->push_back("position embeddings resampled from " + Text({stored.height, stored.width}) + " to " +
                     Text({grid.height, grid.width}) + " patches for an input of " + Text(size));
}

}  // namespace vitrine
