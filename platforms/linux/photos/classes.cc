// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/photos/classes.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "platforms/linux/cli/output.h"

namespace vitrine {
namespace {

/// Returns the name in lower case, without blanks at its ends, with a blank for '_' and '-'.
std::string Plain(std::string_view name) {
  constexpr const char* kBlank = " \t\r\n";
  const size_t first = name.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return "";
  std::string plain(name.substr(first, name.find_last_not_of(kBlank) - first + 1));
  for (char& c : plain)
    c = c == '_' || c == '-' ? ' ' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return plain;
}

}  // namespace

std::vector<Guess> TopK(std::span<const float> logits, int count) {
  std::vector<Guess> top(std::min(logits.size(), static_cast<size_t>(count)));
  TopClasses(logits, top);
  return top;
}

std::string LabelOf(const Model& model, int index) {
  return model.label_count() > 0 ? model.label(index) : "class " + std::to_string(index);
}

std::string PrintableLabelOf(const Model& model, int index) { return Printable(LabelOf(model, index)); }

nlohmann::ordered_json AsJson(const Model& model, const std::vector<Guess>& top) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Guess& guess : top)
    json.push_back(
        {{"index", guess.index}, {"label", LabelOf(model, guess.index)}, {"probability", guess.probability}});
  return json;
}

Classes::Classes(const Model& model, int count) : count_(count) {
  for (int i = 0; i < model.label_count(); ++i) {
    const std::string label = model.label(i);
    by_name_.emplace(Plain(label), i);
    for (size_t at = 0; at < label.size();) {
      const size_t comma = std::min(label.find(',', at), label.size());
      by_name_.emplace(Plain(label.substr(at, comma - at)), i);
      at = comma + 1;
    }
  }
}

int Classes::Find(const std::string& name) const {
  if (const auto found = by_name_.find(Plain(name)); found != by_name_.end()) return found->second;
  int number = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_number = error == std::errc() && end == name.data() + name.size();
  return is_number && number >= 0 && number < count_ ? number : -1;
}

}  // namespace vitrine
