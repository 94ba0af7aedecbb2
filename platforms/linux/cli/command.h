// SPDX-License-Identifier: Apache-2.0
// A subcommand of `vitrine`, and what the subcommands share: their options, and how they open a model.
#pragma once

#include <CLI/CLI.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <vitrine/vitrine.hpp>

#include "platforms/linux/cli/failure.h"

namespace vitrine {

/// A subcommand. Each file of this folder's parent defines one, and main.cc lists them all.
struct Command {
  const char* name;
  const char* summary;
  /// Declares the arguments on `command` and sets its callback, which does the work. The callback sets *exit_code to 1
  /// where it continues after a failure.
  void (*declare)(CLI::App& command, int* exit_code);
};

/// Returns the default place of a model's packed weights.
inline std::string PackedBeside(const std::string& model) { return model + ".packed"; }

/// Returns the sums of `values` (one per operator) by kind of operator, largest first.
std::vector<std::pair<double, std::string>> SumByKind(std::span<const OperatorInfo> operators,
                                                      const std::vector<double>& values);

/// Returns "0,4-7" as numbers; empty where the text is not such a list.
std::vector<int> ParseCpus(std::string_view list);

/// MODEL.vit, --threads, --cpus, --level and --json, which most subcommands have.
struct CommonOptions {
  static constexpr const char *kNone = "none", *kBeside = "";

  std::string model, packed = kNone, cpus;
  int threads = 1, level = 0;
  bool json = false;

  void Declare(CLI::App& app);
  /// Declares --packed, for commands that may write a file next to the model.
  void DeclarePacked(CLI::App& app);

  /// Returns the operators that the session runs. The level exists once CreateSession() has succeeded.
  std::span<const OperatorInfo> OperatorsOf(const Model& opened) const {
    return opened.levels()[static_cast<size_t>(level)].operators;
  }

  /// Creates a session of `opened`, which is the model that these options name. Throws Failure or WrongValue.
  Session CreateSession(const Model& opened, const SessionOptions& further = {}) const;
  /// Creates a session of another model, from `path`, at level 0. `packed_words` is what --packed would have.
  Session CreateSession(const Model& opened, const std::string& path, const std::string& packed_words,
                        SessionOptions session_options = {}) const;
};

}  // namespace vitrine
