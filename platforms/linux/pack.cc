// SPDX-License-Identifier: Apache-2.0
// vitrine pack: writes the file of packed weights ahead of time, so that even a model's first start is a fast
// one.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "platforms/linux/command.h"

namespace vitrine {
namespace {

struct Options {
  std::string model, output;
  bool json = false;
};

void Pack(const Options& options) {
  const Model model = OrFail(Model::Open(options.model.c_str()));
  const std::string file = options.output.empty() ? PackedBeside(options.model) : options.output;
  Result<Session> session = Session::Create(model, {});
  if (!session.ok()) throw Failure(options.model + ": " + session.status().message());
  OrFail(session.value().SavePackedWeights(file.c_str()));
  const uintmax_t bytes = std::filesystem::file_size(file);
  if (options.json) {
    const nlohmann::ordered_json json = {
        {"output", file}, {"file_bytes", bytes}, {"kernels", InstructionSet()}};
    std::printf("%s\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    std::printf("%s\n  %.1f MB, for this processor (%s)\n", file.c_str(), static_cast<double>(bytes) / 1e6,
                InstructionSet());
  }
}

}  // namespace

void AddPack(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("pack", "Write a model's weights as this processor's kernels read them");
  auto options = std::make_shared<Options>();
  command->add_option("MODEL.vit", options->model, "A model that vitrine-convert has written")
      ->required()
      ->type_name("");
  command->add_option("-o,--output", options->output, "File to write (default: MODEL.vit.packed)")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { Pack(*options); });
}

}  // namespace vitrine
