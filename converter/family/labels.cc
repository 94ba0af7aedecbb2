// SPDX-License-Identifier: Apache-2.0
// Class names, from a file of their own or from a configuration.
#include <charconv>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "converter/error.h"
#include "converter/family/configuration.h"

namespace vitrine {
namespace {

using nlohmann::json;

std::optional<size_t> Index(const std::string& key) {
  size_t index = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
  if (error != std::errc() || end != key.data() + key.size()) return std::nullopt;
  return index;
}

/// Returns the names of {"0": "...", ...} or ["...", ...]; nullopt for any other value or when a number is
/// missing.
std::optional<std::vector<std::string>> FromJson(const json& value) {
  if (!value.is_object() && !value.is_array()) return std::nullopt;
  std::vector<std::string> names(value.size());
  size_t next = 0;
  for (const auto& [key, name] : value.items()) {
    const std::optional<size_t> index = value.is_array() ? next++ : Index(key);
    if (!index || *index >= names.size() || !name.is_string()) return std::nullopt;
    names[*index] = name.get<std::string>();
  }
  return names;
}

std::vector<std::string> FromLines(const std::string& text) {
  std::vector<std::string> names;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    names.push_back(std::move(line));
    begin = end + 1;
  }
  while (!names.empty() && names.back().empty()) names.pop_back();
  return names;
}

}  // namespace

std::vector<std::string> ReadLabels(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file.is_open() || std::filesystem::is_directory(path)) Fail(path.string(), ": cannot be read");
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) Fail(path.string(), ": has no class names");
  const json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!value.is_structured()) {
    if (text[first] == '{') Fail(path.string(), ": is not JSON");
    return FromLines(text);
  }
  const std::optional<std::vector<std::string>> names = FromJson(value);
  if (!names)
    Fail(path.string(),
         ": expected class names as {\"0\": \"...\", \"1\": \"...\"}, with all numbers from 0");
  return *names;
}

std::vector<std::string> LabelsOf(const json& configuration) {
  if (configuration.contains("id2label")) {
    const std::optional<std::vector<std::string>> names = FromJson(configuration["id2label"]);
    if (names && !names->empty() && names->front() != "LABEL_0") return *names;
  }
  for (const json& holder : {configuration, configuration.value("pretrained_cfg", json::object())}) {
    if (!holder.is_object() || !holder.contains("label_names")) continue;
    std::optional<std::vector<std::string>> names = FromJson(holder["label_names"]);
    if (!names) continue;
    const json descriptions = holder.value("label_descriptions", json::object());
    for (std::string& name : *names) {
      if (descriptions.is_object() && descriptions.contains(name) && descriptions[name].is_string()) {
        name = descriptions[name].get<std::string>();
      }
    }
    return *names;
  }
  return {};
}

}  // namespace vitrine
