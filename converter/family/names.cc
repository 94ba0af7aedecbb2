// SPDX-License-Identifier: Apache-2.0
#include "converter/family/names.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "converter/error.h"

namespace vitrine {
namespace {

constexpr int kMostBlocks = 1000;

/// The ends of names that any library may leave in a checkpoint and that no output needs.
constexpr const char* kIgnoredEverywhere[] = {"num_batches_tracked", "position_ids", "mask_token",
                                              "attn.bias_mask", "relative_position_index"};

struct Match {
  Part part = Part::kWeight;
  int block = 0;
};

bool IsNorm(Slot slot) {
  switch (slot) {
    case Slot::kPatchNorm:
    case Slot::kPreNorm:
    case Slot::kNorm1:
    case Slot::kNorm2:
    case Slot::kQueryNorm:
    case Slot::kKeyNorm:
    case Slot::kAttentionNorm:
    case Slot::kMlpNorm:
    case Slot::kNorm:
    case Slot::kPoolNorm:
    case Slot::kLatentNorm:
      return true;
    default:
      return false;
  }
}

const char* PartName(const Family& family, Slot slot, Part part) {
  if (part == Part::kBias) return "bias";
  if (family.order == Order::kTorch) return "weight";
  return IsNorm(slot) ? "scale" : "kernel";
}

/// Matches `name` with a pattern that has at most one "{}" and then at most one "*".
std::optional<Match> Fit(const Family& family, const SlotName& entry, std::string_view name) {
  Match match;
  std::string_view pattern = entry.pattern;
  while (!pattern.empty()) {
    if (pattern.starts_with("{}")) {
      pattern.remove_prefix(2);
      const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), match.block);
      if (error != std::errc() || match.block < 0 || match.block >= kMostBlocks) return std::nullopt;
      name.remove_prefix(end - name.data());
    } else if (pattern.front() == '*') {
      pattern.remove_prefix(1);
      bool fits = false;
      for (const Part part : {Part::kWeight, Part::kBias}) {
        const std::string_view word = PartName(family, entry.slot, part);
        if (fits || !name.starts_with(word)) continue;
        fits = true;
        match.part = part;
        name.remove_prefix(word.size());
      }
      if (!fits) return std::nullopt;
    } else {
      if (name.empty() || name.front() != pattern.front()) return std::nullopt;
      name.remove_prefix(1);
      pattern.remove_prefix(1);
    }
  }
  if (!name.empty()) return std::nullopt;
  return match;
}

std::string_view PrefixOf(const Family& family, std::string_view name) {
  for (const char* prefix : family.prefixes) {
    if (name.starts_with(prefix)) return name.substr(0, std::string_view(prefix).size());
  }
  return {};
}

bool Ignored(const Family& family, std::string_view name) {
  const auto fits = [&](const char* pattern) { return MatchesEnd(name, pattern); };
  const auto ends = [&](const char* end) { return name.ends_with(end); };
  return std::any_of(family.ignored.begin(), family.ignored.end(), fits) ||
         std::any_of(std::begin(kIgnoredEverywhere), std::end(kIgnoredEverywhere), ends);
}

std::string_view MostCommon(const std::map<std::string_view, int>& counts) {
  const auto rarer = [](const auto& a, const auto& b) { return a.second < b.second; };
  const auto most = std::max_element(counts.begin(), counts.end(), rarer);
  return most == counts.end() ? std::string_view() : most->first;
}

}  // namespace

bool MatchesEnd(std::string_view value, std::string_view pattern) {
  if (pattern.ends_with('*')) return value.starts_with(pattern.substr(0, pattern.size() - 1));
  return value == pattern;
}

Names::Names(const checkpoint::Checkpoint& checkpoint, const Family& family) : family_(family) {
  Candidates candidates;
  for (const SlotName& entry : family.slots) candidates[entry.slot].push_back({entry.pattern, {}});
  std::map<std::string_view, int> block_prefixes, prefixes;
  size_t ignored = 0, known = 0;
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    const std::string_view prefix = PrefixOf(family, name),
                           inner = std::string_view(name).substr(prefix.size());
    if (Sort(name, inner, tensor, &candidates)) {
      ++known;
      const bool in_block = inner.find_first_of("0123456789") != std::string_view::npos;
      ++(in_block ? block_prefixes : prefixes)[prefix];
    } else if (Ignored(family, name) || Ignored(family, inner)) {
      ++ignored;
    } else {
      rest_.push_back(&name);
    }
  }
  for (const auto& [slot, alternatives] : candidates) Choose(slot, alternatives);
  block_prefix_ = MostCommon(block_prefixes);
  prefix_ = MostCommon(prefixes);
  const size_t relevant = checkpoint.tensors().size() - ignored;
  explained_ = relevant == 0 ? 0.0 : static_cast<double>(known) / static_cast<double>(relevant);
}

bool Names::Sort(const std::string& name, std::string_view inner, const checkpoint::Tensor& tensor,
                 Candidates* candidates) {
  bool fits = false;
  for (const SlotName& entry : family_.slots) {
    const std::optional<Match> match = Fit(family_, entry, inner);
    if (!match) continue;
    fits = true;
    for (Candidate& candidate : (*candidates)[entry.slot]) {
      if (candidate.pattern != entry.pattern) continue;
      candidate.found.push_back({{entry.slot, match->part, match->block}, {&name, &tensor}});
    }
  }
  return fits;
}

void Names::Choose(Slot slot, const std::vector<Candidate>& alternatives) {
  const auto fewer = [](const Candidate& a, const Candidate& b) { return a.found.size() < b.found.size(); };
  const auto best = std::max_element(alternatives.begin(), alternatives.end(), fewer);
  patterns_[slot] = best->pattern;
  found_.insert(best->found.begin(), best->found.end());
  const bool in_block = std::string_view(best->pattern).find("{}") != std::string_view::npos;
  for (const auto& [key, found] : best->found) {
    if (in_block) depth_ = std::max(depth_, std::get<int>(key) + 1);
  }
  for (auto other = alternatives.begin(); other != alternatives.end(); ++other) {
    if (other == best) continue;
    for (const auto& [key, found] : other->found) rest_.push_back(found.name);
  }
}

bool Names::Has(Slot slot) const { return Has(slot, Part::kWeight) || Has(slot, Part::kBias); }

bool Names::Has(Slot slot, Part part) const {
  const auto first = found_.lower_bound({slot, part, 0});
  return first != found_.end() && std::get<Slot>(first->first) == slot &&
         std::get<Part>(first->first) == part;
}

const checkpoint::Tensor* Names::Find(Slot slot, Part part, int block) const {
  const auto found = found_.find({slot, part, block});
  if (found == found_.end()) return nullptr;
  found->second.used = true;
  return found->second.tensor;
}

std::vector<int64_t> Names::Shape(Slot slot, Part part, int block) const {
  const auto found = found_.find({slot, part, block});
  return found == found_.end() ? std::vector<int64_t>() : found->second.tensor->shape;
}

std::string Names::Name(Slot slot, Part part, int block) const {
  const auto found = found_.find({slot, part, block});
  if (found != found_.end()) return *found->second.name;
  const auto pattern = patterns_.find(slot);
  if (pattern == patterns_.end()) return "";
  std::string name = pattern->second;
  const size_t number = name.find("{}");
  if (number != std::string::npos) name.replace(number, 2, std::to_string(block));
  if (const size_t at = name.find('*'); at != std::string::npos)
    name.replace(at, 1, PartName(family_, slot, part));
  const bool behind_wrapper = slot >= Slot::kPooler && slot <= Slot::kDistillationClassifier;
  if (behind_wrapper) return name;
  return (number != std::string::npos ? block_prefix_ : prefix_) + name;
}

void Names::LeaveOut(Slot slot) const {
  for (const auto& [key, found] : found_) {
    if (std::get<Slot>(key) == slot) found.used = true;
  }
}

void Names::Require(Slot slot) const {
  if (!Has(slot)) Fail("checkpoint has no ", Name(slot, Part::kWeight));
}

std::vector<Slot> Names::Missing() const {
  std::vector<Slot> missing;
  for (const SlotName& entry : family_.slots) {
    if (entry.presence == SlotName::kAlways && !Has(entry.slot)) missing.push_back(entry.slot);
  }
  return missing;
}

std::vector<std::string> Names::Unknown() const {
  std::vector<std::string> unknown;
  for (const std::string* name : rest_) unknown.push_back(*name);
  std::sort(unknown.begin(), unknown.end());
  return unknown;
}

std::vector<std::string> Names::Unused() const {
  std::vector<std::string> unused = Unknown();
  for (const auto& [key, found] : found_) {
    if (!found.used) unused.push_back(*found.name);
  }
  std::sort(unused.begin(), unused.end());
  return unused;
}

}  // namespace vitrine
