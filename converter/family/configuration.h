// SPDX-License-Identifier: Apache-2.0
// What the files beside a checkpoint say, brought to one form: a flat object of model settings, a flat object
// of preprocessing settings, and labels.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "converter/family/inputs.h"
#include "converter/family/json_object.h"

namespace vitrine {

struct Configuration {
  JsonObject model;  ///< Hugging Face config (its vision part), timm model_args, or constructor arguments
  JsonObject preprocessor;  ///< Hugging Face image processor or timm pretrained_cfg
  std::vector<std::string> labels;
  std::string labels_file;           ///< given by --labels: their number must be right
  std::vector<std::string> remarks;  ///< which files were taken without being named

  /// True when model_type, architectures, architecture or model_class has this value; "vit_*" matches what
  /// begins so, "*dinov3*" what has it anywhere.
  bool Names(const char* value) const;
};

/// Reads the files that `inputs` names, and where it names none those beside the checkpoint. Error when a
/// file is not there or not JSON; a file beside the checkpoint that is no model configuration is left alone,
/// with a remark. `metadata` is what the checkpoint holds beside its weights: timm's and DeiT's training
/// scripts leave the model's name there ("arch", "args": {"model"}), which stands in where no file gives an
/// `architecture`. Its "graph", which an ONNX file gives, wins over the files.
Configuration ReadConfiguration(const ConversionInputs& inputs, const nlohmann::json& metadata = {});

/// Returns the names in a file: one a line, or JSON {"0": "...", ...} or ["...", ...]. Error when it is not
/// there or when the numbers of the JSON object are not 0 to n - 1.
std::vector<std::string> ReadLabels(const std::filesystem::path& path);

/// Returns the names in a configuration: Hugging Face's id2label (but not the "LABEL_0" that it makes up), or
/// timm's label_names with their label_descriptions. Empty when there are none.
std::vector<std::string> LabelsOf(const nlohmann::json& configuration);

}  // namespace vitrine
