// SPDX-License-Identifier: Apache-2.0
// What the subcommands of `vitrine` share: their options, and how they open a model.
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

/// Declares a subcommand's arguments on `app`; what it does is its callback. A callback sets *exit_code when
/// it goes on after a failure.
void AddClassify(CLI::App& app, int* exit_code);
void AddEmbed(CLI::App& app, int* exit_code);
void AddExplain(CLI::App& app);
void AddBench(CLI::App& app);
void AddEval(CLI::App& app, int* exit_code);
void AddCamera(CLI::App& app);
void AddInspect(CLI::App& app);
void AddPack(CLI::App& app);

/// Where a model's packed weights are kept unless somebody says otherwise.
inline std::string PackedBeside(const std::string& model) { return model + ".packed"; }

/// Sums of `values`, one for each operator, by kind of operator, the largest first.
std::vector<std::pair<double, std::string>> SumByKind(std::span<const OperatorInfo> operators,
                                                      const std::vector<double>& values);

/// "0,4-7" as numbers; none where it is no such list.
std::vector<int> ParseProcessors(std::string_view list);

/// Declares MODEL.vit, --threads and --json, which most subcommands have.
struct CommonOptions {
  static constexpr const char *kNone = "none", *kBeside = "";

  std::string model, packed = kNone, cpus;
  int threads = 1, level = 0;
  bool json = false;

  void Declare(CLI::App& app) {
    app.add_option("MODEL.vit", model, "A model that vitrine-convert has written")->required()->type_name("");
    app.add_option("--threads", threads, "Threads that compute; 0: as many as processors to run on")
        ->capture_default_str()
        ->check(CLI::Range(0, 256))
        ->type_name("N");
    app.add_option("--cpus", cpus, "Processors to run on, such as 4-7 or 0,2")
        ->default_str("the fast ones")
        ->type_name("LIST")
        ->check([](const std::string& list) {
          return ParseProcessors(list).empty() ? "expected processors such as 4-7 or 0,2, found " + list : "";
        });
    app.add_option("--level", level, "Level of a model that merges tokens; inspect lists them")
        ->capture_default_str()
        ->check(CLI::Range(0, 15))
        ->type_name("N");
    app.add_flag("--json", json, "Print JSON, one object a line");
  }

  /// Declares --packed, for commands that may keep a file beside the model.
  void DeclarePacked(CLI::App& app) {
    packed = kBeside;
    app.add_option(
           "--packed", packed,
           "Weights as an earlier start has packed them for this processor; written where the file is "
           "not there or does not fit; none: pack at every start")
        ->default_str("MODEL.vit.packed")
        ->type_name("FILE");
  }

  /// Those that the session runs. There is such a level once there is a session.
  std::span<const OperatorInfo> OperatorsOf(const Model& opened) const {
    return opened.levels()[static_cast<size_t>(level)].operators;
  }

  /// A session of `opened`, the model that these options name; threads and packed weights are theirs.
  Session CreateSession(const Model& opened, const SessionOptions& further = {}) const {
    const Status usable = UseProcessors(ParseProcessors(cpus));
    if (!usable.ok()) throw WrongValue("--cpus " + cpus + ": " + usable.message());
    Session session = CreateSession(opened, model, packed, further);
    if (!session.SetLevel(level).ok()) {
      throw Failure(model + ": has no level " + std::to_string(level) + ", the last is " +
                    std::to_string(opened.levels().size() - 1));
    }
    return session;
  }

  /// A session of another model, from `path`, at its level 0.
  Session CreateSession(const Model& opened, const std::string& path, const std::string& packed_words,
                        SessionOptions session_options = {}) const {
    const std::string file = packed_words == kBeside ? PackedBeside(path) : packed_words;
    session_options.thread_count = threads;
    session_options.packed_weights = file == kNone ? nullptr : file.c_str();
    Result<Session> session = Session::Create(opened, session_options);
    if (!session.ok()) throw Failure(path + ": " + session.status().message());
    return std::move(session).value();
  }
};

}  // namespace vitrine
