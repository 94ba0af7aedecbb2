// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/cli/command.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>

namespace vitrine {
namespace {

/// The number that `text` begins with, taken off it; -1 where it begins with none.
int TakeNumber(std::string_view* text) {
  int number = -1;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || number < 0 || number > 4095) return -1;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return number;
}

}  // namespace

std::vector<std::pair<double, std::string>> SumByKind(std::span<const OperatorInfo> operators,
                                                      const std::vector<double>& values) {
  std::map<std::string, double> of_kind;
  for (size_t i = 0; i < values.size(); ++i) of_kind[operators[i].kind] += values[i];
  std::vector<std::pair<double, std::string>> sorted;
  for (const auto& [kind, sum] : of_kind) sorted.emplace_back(sum, kind);
  std::sort(sorted.rbegin(), sorted.rend());
  return sorted;
}

std::vector<int> ParseProcessors(std::string_view list) {
  std::vector<int> processors;
  for (;;) {
    const int first = TakeNumber(&list);
    int last = first;
    if (list.starts_with('-')) {
      list.remove_prefix(1);
      last = TakeNumber(&list);
    }
    if (first < 0 || last < first) return {};
    for (int i = first; i <= last; ++i) processors.push_back(i);
    if (list.empty()) return processors;
    if (!list.starts_with(',')) return {};
    list.remove_prefix(1);
  }
}

}  // namespace vitrine
