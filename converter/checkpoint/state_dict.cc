// SPDX-License-Identifier: Apache-2.0
#include "converter/checkpoint/state_dict.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "converter/checkpoint/torch_tensor.h"
#include "converter/error.h"

namespace vitrine::checkpoint {
namespace {

using Kind = PickleValue::Kind;
using State = std::map<std::string, const PickleValue*>;

constexpr std::string_view kWrappers[] = {"state_dict_ema",   "model_ema", "state_dict", "model",
                                          "model_state_dict", "ema",       "teacher",    "student",
                                          "module",           "net",       "network"};

State DirectTensors(const PickleValue& dict) {
  State tensors;
  for (size_t i = 0; dict.is(Kind::kDict) && i + 1 < dict.items.size(); i += 2) {
    const PickleValue& key = *dict.items[i];
    if (key.is(Kind::kString) && IsTensor(*dict.items[i + 1])) tensors[Utf8(key.text)] = dict.items[i + 1];
  }
  return tensors;
}

// Walks a pickled torch.nn.Module, whose attributes are its state. Modules may contain each other in a
// circle, so depth and visits are limited.
class ModuleWalk {
 public:
  explicit ModuleWalk(State& tensors) : tensors_(tensors) {}

  void Visit(const PickleValue& module, const std::string& prefix, int depth) {
    constexpr int kDeepest = 32, kMostVisits = 100'000;
    if (depth > kDeepest || ++visits_ > kMostVisits || module.state == nullptr) return;
    const PickleValue& attributes = *module.state;
    Add(attributes.Find("_parameters"), prefix, {});
    Add(attributes.Find("_buffers"), prefix, NonPersistent(attributes));
    const PickleValue* children = attributes.Find("_modules");
    for (size_t i = 0; children != nullptr && i + 1 < children->items.size(); i += 2) {
      Visit(*children->items[i + 1], prefix + Utf8(children->items[i]->text) + ".", depth + 1);
    }
  }

 private:
  static std::set<std::string> NonPersistent(const PickleValue& attributes) {
    const PickleValue* names = attributes.Find("_non_persistent_buffers_set");
    if (names != nullptr && names->is(Kind::kObject)) names = names->Argument(0);  // set([...])
    std::set<std::string> set;
    for (size_t i = 0; names != nullptr && i < names->items.size(); ++i) {
      set.insert(Utf8(names->items[i]->text));
    }
    return set;
  }

  void Add(const PickleValue* dict, const std::string& prefix, const std::set<std::string>& left_out) {
    if (dict == nullptr) return;
    for (const auto& [name, tensor] : DirectTensors(*dict)) {
      if (!left_out.contains(name)) tensors_[prefix + name] = tensor;
    }
  }

  State& tensors_;
  int visits_ = 0;
};

bool IsModule(const PickleValue& value) {
  return value.is(Kind::kObject) && value.state != nullptr && value.state->Find("_modules") != nullptr;
}

// Returns the tensors of the entry or module that holds the model. `path` becomes its position:
// "teacher.module".
State Search(const PickleValue& value, int depth, std::string& path) {
  State tensors;
  if (depth > 4) return tensors;
  if (IsModule(value)) {
    ModuleWalk(tensors).Visit(value, "", 0);
    return tensors;
  }
  const auto enter = [&](const PickleValue& entry, std::string_view name) {
    std::string inner;
    tensors = Search(entry, depth + 1, inner);
    if (!tensors.empty()) path = Utf8(name) + (inner.empty() ? "" : "." + inner);
    return !tensors.empty();
  };
  for (const std::string_view wrapper : kWrappers) {
    const PickleValue* entry = value.Find(wrapper);
    if (entry != nullptr && !IsTensor(*entry) && enter(*entry, wrapper)) return tensors;
  }
  return DirectTensors(value);
}

// Returns the only dict of tensors among a dict's entries, for wrappers with unknown names.
State SearchUnnamed(const PickleValue& root, std::string& path) {
  State found;
  for (size_t i = 0; root.is(Kind::kDict) && i + 1 < root.items.size(); i += 2) {
    State tensors = DirectTensors(*root.items[i + 1]);
    if (tensors.empty()) continue;
    if (!found.empty()) return {};
    found = std::move(tensors);
    path = Utf8(root.items[i]->text);
  }
  return found;
}

[[noreturn]] void NoStateDict(const PickleValue& root, const std::string& file) {
  if (!root.is(Kind::kDict)) {
    Fail(file, " holds no state dict: expected a dict of tensors, or a dict that contains one");
  }
  std::string keys;
  for (size_t i = 0; i + 1 < root.items.size() && keys.size() < 120; i += 2) {
    keys += (keys.empty() ? "" : ", ") + Utf8(root.items[i]->text);
  }
  Fail(file, " holds no state dict: ", keys.empty() ? "it is an empty dict" : "its entries are " + keys);
}

std::string ClassName(const PickleValue& value) {
  return Utf8(std::string(value.module) + "." + std::string(value.text));
}

nlohmann::json Convert(const PickleValue& value, int depth, int& budget) {
  if (depth > 8 || --budget < 0) return nullptr;
  switch (value.kind) {
    case Kind::kBool:
      return value.integer != 0;
    case Kind::kInt:
      return value.integer;
    case Kind::kFloat:
      return value.real;
    case Kind::kString:
      return Utf8(value.text);
    case Kind::kGlobal:
      return ClassName(value);
    case Kind::kTuple:
    case Kind::kList: {
      auto array = nlohmann::json::array();
      for (size_t i = 0; i < value.items.size() && budget > 0; ++i) {
        array.push_back(Convert(*value.items[i], depth + 1, budget));
      }
      return array;
    }
    case Kind::kDict: {
      auto object = nlohmann::json::object();
      for (size_t i = 0; i + 1 < value.items.size() && budget > 0; i += 2) {
        const PickleValue& key = *value.items[i];
        const std::string name = key.is(Kind::kInt) ? std::to_string(key.integer) : Utf8(key.text);
        object[name] = Convert(*value.items[i + 1], depth + 1, budget);
      }
      return object;
    }
    case Kind::kObject:
      if (IsTensor(value)) return nullptr;
      if (value.state != nullptr && value.state->is(Kind::kDict)) {
        return Convert(*value.state, depth + 1, budget);
      }
      return ClassName(value);
    default:
      return nullptr;
  }
}

// Renames every tensor. Returns false and changes nothing when two would get the same name.
template <typename Rename>
bool RenameAll(std::map<std::string, Tensor>& tensors, Rename rename) {
  std::map<std::string, Tensor> renamed;
  for (const auto& [name, tensor] : tensors) {
    if (!renamed.emplace(rename(name), tensor).second) return false;
  }
  tensors = std::move(renamed);
  return true;
}

void DropTrainingHead(const NamePatterns::TrainingHead& head, Contents& contents) {
  const auto in_head = [&](const auto& entry) {
    return std::any_of(head.prefixes.begin(), head.prefixes.end(),
                       [&](const std::string& prefix) { return entry.first.starts_with(prefix); });
  };
  auto& tensors = contents.tensors;
  const bool only_these = std::all_of(tensors.begin(), tensors.end(), [&](const auto& entry) {
    return entry.first.starts_with("backbone.") || in_head(entry);
  });
  if (!only_these || !tensors.contains(head.sign)) return;
  const size_t dropped = std::erase_if(tensors, in_head);
  if (dropped != 0) {
    contents.notes.push_back("left out " + std::to_string(dropped) + " tensors of " + head.title);
  }
}

}  // namespace

std::string Utf8(std::string_view text) {
  const std::string quoted =
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return nlohmann::json::parse(quoted).get<std::string>();
}

nlohmann::json ToJson(const PickleValue& value, int& budget) { return Convert(value, 0, budget); }

State FindStateDict(const PickleValue& root, const std::string& file, Contents& contents) {
  std::string path;
  State tensors = Search(root, 0, path);
  if (tensors.empty()) tensors = SearchUnnamed(root, path);
  if (tensors.empty()) NoStateDict(root, file);
  if (!path.empty()) contents.notes.push_back("weights taken from '" + path + "'");
  const std::string chosen = path.substr(0, path.find('.'));
  int budget = 10'000;
  for (size_t i = 0; root.is(Kind::kDict) && i + 1 < root.items.size(); i += 2) {
    const std::string name = Utf8(root.items[i]->text);
    if (name == chosen || IsTensor(*root.items[i + 1])) continue;
    contents.metadata[name] = ToJson(*root.items[i + 1], budget);
  }
  return tensors;
}

void StripPrefixes(const NamePatterns& patterns, Contents& contents) {
  auto& tensors = contents.tensors;
  RenameAll(tensors, [](std::string_view name) {
    for (bool again = true; again;) {
      again = false;
      for (const std::string_view prefix : {"module.", "_orig_mod."}) {
        if (!name.starts_with(prefix)) continue;
        name.remove_prefix(prefix.size());
        again = true;
      }
    }
    return std::string(name);
  });
  for (const NamePatterns::TrainingHead& head : patterns.training_heads) DropTrainingHead(head, contents);
  constexpr std::string_view kCommon[] = {"model.", "net.", "network.", "backbone.", "teacher.", "student."};
  for (bool again = !tensors.empty(); again;) {
    again = false;
    for (const std::string_view prefix : kCommon) {
      const bool common = std::all_of(tensors.begin(), tensors.end(),
                                      [&](const auto& entry) { return entry.first.starts_with(prefix); });
      if (!common) continue;
      RenameAll(tensors, [&](const std::string& name) { return name.substr(prefix.size()); });
      again = true;
    }
  }
}

}  // namespace vitrine::checkpoint
