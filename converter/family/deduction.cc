// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <map>
#include <optional>

#include "converter/error.h"
#include "converter/family/deduction.h"

namespace vitrine {

using Shape = std::vector<int64_t>;

Layout Deduction::Run() {
  config_.norm_epsilon = static_cast<float>(
      model_.Number({"layer_norm_eps", "norm_eps", "layer_norm_epsilon"}).value_or(family_.norm_epsilon));
  if (!(config_.norm_epsilon >= 0 && config_.norm_epsilon < 1)) {
    Fail(model_.file(), ": the epsilon of the norms is ", config_.norm_epsilon, ", expected 0 to 1");
  }
  DeducePatch();
  DeduceWidth();
  DeduceHeads();
  DeduceMlp();
  DeduceActivation();
  DeducePositions();
  DeduceClasses();
  DeducePooling();
  // If there are arguments, a missing one has timm's default.
  layout_.qkv_bias = model_.Flag({"qkv_bias"}).value_or(model_.has("embed_dim"));
  layout_.linear_bias = model_.Flag({"proj_bias"}).value_or(true);
  layout_.image = family_.image;
  layout_.positions = family_.positions;
  return layout_;
}

void Deduction::DeducePatch() {
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
  } else if (shape.size() == 2) {
    // A linear layer (timm before its convolution): a square of RGB.
    config_.patch_height = config_.patch_width =
        static_cast<int>(std::lround(std::sqrt(Whole(shape[1]) / 3)));
  }
  if (config_.patch_height < 1 || config_.patch_width < 1 || config_.channels < 1 || config_.channels > 4 ||
      config_.patch_height > 512 || config_.patch_width > 512) {
    Fail(names_.Name(Slot::kPatch, Part::kWeight),
         ": expected [width, 1 to 4 channels, patch height, patch width], "
         "found ",
         checkpoint::ShapeText(names_.Shape(Slot::kPatch, Part::kWeight)));
  }
  config_.width = Whole(shape[0]);
}

void Deduction::DeduceWidth() {
  const int norm_width = MostCommon(Slot::kNorm1, {{Part::kWeight, 0}, {Part::kBias, 0}});
  if (norm_width) config_.width = norm_width;
  if (const std::optional<int> width = model_.Int({"embed_dim", "hidden_size", "hidden_dim"})) {
    if (norm_width && *width != norm_width) Contradiction("width", *width, norm_width);
    config_.width = Whole(*width);
  }
  if (config_.width < 1)
    Fail("cannot find the model's width from ", names_.Name(Slot::kNorm1, Part::kWeight));
  config_.depth = names_.depth();
  if (const std::optional<int> depth = model_.Int({"depth", "num_hidden_layers", "num_layers"})) {
    if (*depth != config_.depth) Contradiction("number of blocks", *depth, config_.depth);
  }
}

void Deduction::Contradiction(const char* what, int configured, int found) const {
  Fail(model_.file(), " does not fit the checkpoint: ", what, " is ", configured, ", the checkpoint has ",
       found);
}

void Deduction::DeduceHeads() {
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
  const Shape periods = names_.Shape(Slot::kRotaryPeriods, Part::kWeight);
  const int norm_size =
      periods.empty() ? MostCommon(Slot::kQueryNorm, {{Part::kWeight, 0}}) : 4 * Whole(periods[0]);
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
         inputs_.heads ? "" : "; set the number with --heads");
  }
  config_.head_size = attention_width / config_.heads;
  config_.attention_scale = 1 / std::sqrt(static_cast<double>(config_.head_size));
  if (const std::optional<double> scale = model_.Number({"qk_scale"})) config_.attention_scale = *scale;
}

void Deduction::AssumeHeads(int width) {
  // ViT-H, So400m, g and G have 16 heads of 80, 72, 88 and 104; all other models have heads of 64.
  const bool big = width == 1152 || width == 1280 || width == 1408 || width == 1664;
  config_.heads = big ? 16 : width / 64;
  if (config_.heads < 1 || width % config_.heads != 0) {
    Fail("the number of heads is not in the checkpoint, and width ", width,
         " is not a multiple of 64: set the number with --heads");
  }
  remarks_.push_back("assumed " + std::to_string(config_.heads) + " heads of " +
                     std::to_string(width / config_.heads) + "; use --heads or --config to change this");
}

void Deduction::DeduceMlp() {
  const int hidden = Inputs(Slot::kFc2);
  const int outputs = Outputs(Slot::kFc1), bias = MostCommon(Slot::kFc1, {{Part::kBias, 0}});
  config_.mlp_width = Whole(model_.Int({"intermediate_size", "mlp_dim"}).value_or(hidden));
  if (names_.Has(Slot::kFc1Gate)) {
    config_.gated_mlp = true;
  } else if (hidden && outputs == 2 * hidden) {
    config_.gated_mlp = true;
    config_.mlp_width = hidden;
  } else if (outputs != hidden && outputs == bias) {
    config_.mlp_width = outputs;  // two against one: fc2 has a wrong shape
  }
  if (config_.mlp_width < 1) Fail("checkpoint has no ", names_.Name(Slot::kFc2, Part::kWeight));
  const std::string layer = model_.Text({"mlp_layer"}).value_or("");
  const bool known = layer.empty() || layer == "Mlp" || layer == "SwiGLUPacked" || layer == "SwiGLU";
  if (!known)
    Fail(model_.file(), ": mlp_layer ", layer, " is not supported, only Mlp, SwiGLUPacked and SwiGLU");
}

void Deduction::DeduceActivation() {
  static const std::map<std::string, Activation> kNames = {
      {"gelu", Activation::kGeluErf},
      {"gelu_python", Activation::kGeluErf},
      {"gelu_tanh", Activation::kGeluTanh},
      {"gelu_new", Activation::kGeluTanh},
      {"gelu_fast", Activation::kGeluTanh},
      {"gelu_pytorch_tanh", Activation::kGeluTanh},
      {"quick_gelu", Activation::kQuickGelu},
      {"quickgelu", Activation::kQuickGelu},
      {"silu", Activation::kSilu},
      {"swish", Activation::kSilu},
      {"relu", Activation::kRelu},
      {"tanh", Activation::kTanh},
  };
  config_.activation = config_.gated_mlp ? Activation::kSilu : family_.activation;
  // Hugging Face's SwiGLU ignores hidden_act and uses SiLU, except in DINOv3; timm's uses act_layer.
  const std::optional<std::string> name = config_.gated_mlp && !family_.hidden_act_gates
                                              ? model_.Text({"act_layer"})
                                              : model_.Text({"act_layer", "hidden_act"});
  if (!name) return;
  const auto found = kNames.find(*name);
  if (found == kNames.end()) Fail(model_.file(), ": activation ", *name, " is not supported");
  config_.activation = found->second;
}

int Deduction::MostCommon(Slot slot, std::initializer_list<Voters> voters) const {
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

int Deduction::Outputs(Slot slot) const {
  return MostCommon(slot, {{Part::kWeight, family_.order == Order::kTorch ? 0u : 1u}, {Part::kBias, 0}});
}

int Deduction::Inputs(Slot slot) const {
  return MostCommon(slot, {{Part::kWeight, family_.order == Order::kTorch ? 1u : 0u}});
}

}  // namespace vitrine
