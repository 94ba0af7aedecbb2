// SPDX-License-Identifier: Apache-2.0
// vitrine embed: photos as vectors, for search and comparison.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "platforms/linux/cli/command.h"
#include "platforms/linux/photos/images.h"
#include "platforms/linux/cli/printable.h"

namespace vitrine {
namespace {

struct Options : CommonOptions {
  std::vector<std::string> images;
};

void Print(const Session& session, bool json, const std::string& path) {
  if (json) {
    const nlohmann::ordered_json line = {{"image", path}, {"embedding", session.embedding()}};
    std::printf("%s\n", line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return;
  }
  std::printf("%s", Printable(path).c_str());
  for (const float value : session.embedding()) std::printf(" %.6g", static_cast<double>(value));
  std::printf("\n");
}

void Embed(const Options& options, int* exit_code) {
  const Model model = OrFail(Model::Open(options.model.c_str()));
  Session session = options.CreateSession(model);
  if (session.embedding().empty()) throw Failure(options.model + ": has no embedding");
  RunOnImages(session, options.images, exit_code, [&](const std::string& path, double) {
    Print(session, options.json, path);
    std::fflush(stdout);
  });
}

}  // namespace

void AddEmbed(CLI::App& app, int* exit_code) {
  CLI::App* command =
      app.add_subcommand("embed", "Print each photo's embedding: the name and the numbers on one line");
  auto options = std::make_shared<Options>();
  options->Declare(*command);
  options->DeclarePacked(*command);
  command->add_option("IMAGE", options->images, "JPEG, PNG, BMP or PNM files")->required()->type_name("");
  command->callback([options, exit_code] { Embed(*options, exit_code); });
}

}  // namespace vitrine
