// SPDX-License-Identifier: Apache-2.0
// Configuration: the content of the files next to a checkpoint in one form: a flat object about the model, a
// flat object about preprocessing, and labels.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "converter/family/json_object.h"

namespace vitrine {

struct Configuration {
  JsonObject model;  ///< Hugging Face config (its vision part), timm model_args, or constructor arguments
  JsonObject preprocessor;  ///< Hugging Face image processor or timm pretrained_cfg
  std::vector<std::string> labels;
  std::string labels_file;           ///< from --labels: their number must match
  std::vector<std::string> remarks;  ///< files that were used without an option

  /// Returns whether model_type, architectures, architecture or model_class has this value. "vit_*" matches a
  /// prefix, "*dinov3*" any part.
  bool Names(const char* value) const;
};

/// Reads the files that `inputs` names, else those next to the checkpoint. Error when a file is missing or
/// not JSON. A file next to the checkpoint that is not a model's configuration is ignored, with a remark.
/// `metadata` is Checkpoint::metadata(). Training scripts of timm and DeiT store the model's name there
/// ("arch", "args": {"model"}), which is used when no file has an `architecture`. Its "graph", from an ONNX
/// file, overrides the files.
Configuration ReadConfiguration(const ConversionInputs& inputs, const nlohmann::json& metadata = {});

/// Returns the class names in a file: one a line, or JSON {"0": "...", ...} or ["...", ...]. Error when it is
/// missing, or when the numbers of the JSON object are not 0 to n - 1.
std::vector<std::string> ReadLabels(const std::filesystem::path& path);

/// Returns the class names in a configuration: Hugging Face's id2label (except its placeholders "LABEL_0"),
/// or timm's label_names with their label_descriptions. Empty when there are none.
std::vector<std::string> LabelsOf(const nlohmann::json& configuration);

}  // namespace vitrine
