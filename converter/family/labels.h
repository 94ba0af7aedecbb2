// SPDX-License-Identifier: Apache-2.0
// Class names, from a file of their own or from a model's configuration.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace vitrine {

/// Returns the names in a file: one a line, or JSON {"0": "...", ...} or ["...", ...]. Error when it is not
/// there or when the numbers of the JSON object are not 0 to n - 1.
std::vector<std::string> ReadLabels(const std::filesystem::path& path);

/// Returns the names in a configuration: Hugging Face's id2label (but not the "LABEL_0" that it makes up), or
/// timm's label_names with their label_descriptions. Empty when there are none.
std::vector<std::string> LabelsOf(const nlohmann::json& configuration);

}  // namespace vitrine
