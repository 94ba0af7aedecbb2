// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/cli/command.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>

namespace vitrine {
namespace {

/// Removes the number that `text` begins with and returns it; -1 where it begins with none.
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

std::vector<int> ParseCpus(std::string_view list) {
  std::vector<int> cpus;
  for (;;) {
    const int first = TakeNumber(&list);
    int last = first;
    if (list.starts_with('-')) {
      list.remove_prefix(1);
      last = TakeNumber(&list);
    }
    if (first < 0 || last < first) return {};
    for (int i = first; i <= last; ++i) cpus.push_back(i);
    if (list.empty()) return cpus;
    if (!list.starts_with(',')) return {};
    list.remove_prefix(1);
  }
}

void CommonOptions::Declare(CLI::App& app) {
  app.add_option("MODEL.vit", model, "Model file written by vitrine-convert")->required()->type_name("");
  app.add_option("--threads", threads, "Number of threads; 0: one per usable CPU core")
      ->capture_default_str()
      ->check(CLI::Range(0, 256))
      ->type_name("N");
  app.add_option("--cpus", cpus, "CPU cores to run on, such as 4-7 or 0,2")
      ->default_str("the fast ones")
      ->type_name("LIST")
      ->check([](const std::string& list) {
        return ParseCpus(list).empty() ? "expected CPU numbers such as 4-7 or 0,2, found " + list : "";
      });
  app.add_option("--level", level, "Level of a model that merges tokens; vitrine inspect lists the levels")
      ->capture_default_str()
      ->check(CLI::Range(0, kMaxLevels - 1))
      ->type_name("N");
  app.add_flag("--json", json, "Print JSON, one object per line");
}

void CommonOptions::DeclarePacked(CLI::App& app) {
  packed = kBeside;
  app.add_option("--packed", packed,
                 "Cache of the weights rearranged for this CPU. Created if missing or out of date. none: do "
                 "not cache")
      ->default_str("MODEL.vit.packed")
      ->type_name("FILE");
}

Session CommonOptions::CreateSession(const Model& opened, const SessionOptions& further) const {
  const Status usable = UseProcessors(ParseCpus(cpus));
  if (!usable.ok()) throw WrongValue("--cpus " + cpus + ": " + usable.message());
  Session session = CreateSession(opened, model, packed, further);
  if (!session.SetLevel(level).ok()) {
    throw Failure(model + ": has no level " + std::to_string(level) + "; the last level is " +
                  std::to_string(opened.levels().size() - 1));
  }
  return session;
}

Session CommonOptions::CreateSession(const Model& opened, const std::string& path,
                                     const std::string& packed_words, SessionOptions session_options) const {
  const std::string file = packed_words == kBeside ? PackedBeside(path) : packed_words;
  session_options.thread_count = threads;
  session_options.packed_weights = file == kNone ? nullptr : file.c_str();
  Result<Session> session = Session::Create(opened, session_options);
  if (!session.ok()) throw Failure(path + ": " + session.status().message());
  return std::move(session).value();
}

}  // namespace vitrine
