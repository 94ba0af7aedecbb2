// SPDX-License-Identifier: Apache-2.0
// What the subcommands of `vitrine` share: how they fail, and how they open a model.
#pragma once

#include <CLI/CLI.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vitrine/vitrine.hpp>

namespace vitrine {

/// One clear line for the person at the terminal; main prints it and exits with 1.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void OrFail(const Status& status) {
  if (!status.ok()) throw Failure(status.message());
}

template <typename T>
T OrFail(Result<T> result) {
  OrFail(result.status());
  return std::move(result).value();
}

/// Declares a subcommand's arguments on `app`; what it does is its callback. A callback sets *exit_code when
/// it goes on after a failure.
void AddClassify(CLI::App& app, int* exit_code);
void AddEmbed(CLI::App& app, int* exit_code);
void AddBench(CLI::App& app);
void AddInspect(CLI::App& app);

/// Declares MODEL.vit, --threads and --json, which most subcommands have.
struct CommonOptions {
  std::string model;
  int threads = 1;
  bool json = false;

  void Declare(CLI::App& app, bool with_threads = true) {
    app.add_option("MODEL.vit", model, "A model that vitrine-convert has written")->required()->type_name("");
    if (with_threads) {
      app.add_option("--threads", threads, "Threads that compute; 0: as many as processors")
          ->capture_default_str()
          ->check(CLI::Range(0, 256))
          ->type_name("N");
    }
    app.add_flag("--json", json, "Print JSON, one object a line");
  }

  /// A session of `opened`, the model that these options name.
  Session CreateSession(const Model& opened) const {
    Result<Session> session = Session::Create(opened, {.thread_count = threads});
    if (!session.ok()) throw Failure(model + ": " + session.status().message());
    return std::move(session).value();
  }
};

}  // namespace vitrine
