// SPDX-License-Identifier: Apache-2.0
// NamePatterns from the families' tables.
#include <algorithm>
#include <string_view>

#include "converter/family/table.h"

namespace vitrine {
namespace {

using checkpoint::NamePatterns;

/// Parameters of models that no table describes: with these names the refusal of such a model can quote them.
constexpr const char* kOtherPlainNames[] = {"mask_token", "class_embedding", "positional_embedding", "proj"};

/// Returns the slot's names without the part: "blocks.{}.attn.proj" for "blocks.{}.attn.proj.*".
std::vector<std::string> ModulesOf(const Family& family, Slot slot) {
  constexpr std::string_view kPart = ".*";
  std::vector<std::string> modules;
  for (const SlotName& entry : family.slots) {
    const std::string_view pattern = entry.pattern;
    if (entry.slot == slot && pattern.ends_with(kPart)) {
      modules.emplace_back(pattern.substr(0, pattern.size() - kPart.size()));
    }
  }
  return modules;
}

/// Returns the name after the block's number; empty for a name outside of blocks.
std::string InBlock(std::string_view name) {
  const size_t number = name.find("{}");
  return std::string(number == std::string_view::npos ? "" : name.substr(number + 2));
}

std::string NameOf(const Family& family, Slot slot) {
  for (const SlotName& entry : family.slots) {
    if (entry.slot == slot) return entry.pattern;
  }
  return "";
}

void AddPlainNames(const Family& family, NamePatterns* patterns) {
  for (const SlotName& entry : family.slots) {
    const std::string_view name = entry.pattern;
    if (name.find_first_of(".{*") == std::string_view::npos) patterns->plain.emplace(name);
  }
}

/// Families may share a patch embedding's name. The first family that has a parameter names it.
void AddEmbedding(const Family& family, NamePatterns* patterns) {
  for (const std::string& patch : ModulesOf(family, Slot::kPatch)) {
    auto found = std::find_if(patterns->embeddings.begin(), patterns->embeddings.end(),
                              [&](const auto& embedding) { return embedding.patch == patch; });
    if (found == patterns->embeddings.end()) {
      patterns->embeddings.push_back({patch, "", "", "", ""});
      found = patterns->embeddings.end() - 1;
    }
    const auto fill = [&](Slot slot, std::string* name) {
      if (name->empty()) *name = NameOf(family, slot);
    };
    fill(Slot::kClassToken, &found->class_token);
    fill(Slot::kDistillationToken, &found->distillation_token);
    fill(Slot::kRegisters, &found->registers);
    fill(Slot::kPositions, &found->positions);
  }
}

/// Matches layers by order: a table with several names has them in the same order for all layers of a block.
void AddAttention(const Family& family, NamePatterns* patterns) {
  const std::vector<std::string> projections = ModulesOf(family, Slot::kProjection),
                                 together = ModulesOf(family, Slot::kQkv),
                                 queries = ModulesOf(family, Slot::kQuery),
                                 keys = ModulesOf(family, Slot::kKey),
                                 values = ModulesOf(family, Slot::kValue);
  for (size_t i = 0; i < projections.size(); ++i) {
    const std::string projection = InBlock(projections[i]);
    const bool known = std::any_of(patterns->attentions.begin(), patterns->attentions.end(),
                                   [&](const auto& attention) { return attention.projection == projection; });
    if (known) continue;
    if (i < together.size()) {
      patterns->attentions.push_back({projection, {InBlock(together[i]), "", ""}});
    } else if (i < std::min({queries.size(), keys.size(), values.size()})) {
      patterns->attentions.push_back(
          {projection, {InBlock(queries[i]), InBlock(keys[i]), InBlock(values[i])}});
    }
  }
}

/// Adds ".ls1" and ".gamma" for "blocks.{}.ls1.gamma". A parameter of the block itself has no module: skips it.
void AddScales(const Family& family, NamePatterns* patterns) {
  for (const SlotName& entry : family.slots) {
    if (entry.slot != Slot::kScale1 && entry.slot != Slot::kScale2) continue;
    const std::string name = InBlock(entry.pattern);
    const size_t dot = name.rfind('.');
    if (dot != std::string::npos && dot > 0)
      patterns->scales.push_back({name.substr(0, dot), name.substr(dot)});
  }
}

void AddLearntQuery(const Family& family, NamePatterns* patterns) {
  const std::string query = NameOf(family, Slot::kLatent), layer = NameOf(family, Slot::kLatentQkv);
  if (layer.empty()) return;
  patterns->learnt_queries.push_back({layer.substr(0, layer.find('*')) + "weight", query});
}

}  // namespace

NamePatterns AllNamePatterns() {
  NamePatterns patterns;
  patterns.plain.insert(std::begin(kOtherPlainNames), std::end(kOtherPlainNames));
  for (const Family* family : Families()) {
    if (family->order != Order::kTorch) continue;  // no exporter of these names
    AddPlainNames(*family, &patterns);
    AddEmbedding(*family, &patterns);
    AddAttention(*family, &patterns);
    AddScales(*family, &patterns);
    AddLearntQuery(*family, &patterns);
    if (!family->training_head.prefixes.empty()) patterns.training_heads.push_back(family->training_head);
  }
  return patterns;
}

}  // namespace vitrine
