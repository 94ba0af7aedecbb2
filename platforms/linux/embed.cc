// SPDX-License-Identifier: Apache-2.0
// vitrine embed: photos as vectors, for search and comparison.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "platforms/linux/cli/command.h"
#include "platforms/linux/cli/output.h"
#include "platforms/linux/photos/photo_set.h"

namespace vitrine {
namespace {

struct Options : CommonOptions {
  std::vector<std::string> images;
};

void Print(const Session& session, bool json, const std::string& path) {
  if (json) {
    const nlohmann::ordered_json line = {{"image", path}, {"embedding", session.embedding()}};
    PrintJsonLine(line);
    return;
  }
  std::printf("%s", Printable(path).c_str());
  for (const float value : session.embedding()) std::printf(" %.6g", static_cast<double>(value));
  std::printf("\n");
}

void Embed(const Options& options, int* exit_code) {
  const Model model = OrFail(Model::Open(options.model.c_str()));
  Session session = options.CreateSession(model);
  if (session.embedding().empty()) throw Failure(options.model + ": this model has no embedding");
  RunOnPhotos(session, options.images, exit_code, [&](const std::string& path, double) {
    Print(session, options.json, path);
    std::fflush(stdout);
  });
}

void Declare(CLI::App& command, int* exit_code) {
  auto options = std::make_shared<Options>();
  options->Declare(command);
  options->DeclarePacked(command);
  command.add_option("IMAGE", options->images, "Photos: JPEG, PNG, BMP or PNM")->required()->type_name("");
  command.callback([options, exit_code] { Embed(*options, exit_code); });
}

}  // namespace

extern const Command kEmbed;
const Command kEmbed = {"embed", "Print the embedding of each photo: its name and the numbers on one line",
                        Declare};

}  // namespace vitrine
