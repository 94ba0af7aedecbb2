// SPDX-License-Identifier: Apache-2.0
// vitrine classify: the most probable classes of photos.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "platforms/linux/cli/command.h"
#include "platforms/linux/cli/output.h"
#include "platforms/linux/photos/classes.h"
#include "platforms/linux/photos/photo_set.h"

namespace vitrine {
namespace {

struct Options : CommonOptions {
  std::vector<std::string> images;
  int top_k = 5;
  bool logits = false;
};

void PrintJson(const Model& model, const Session& session, const Options& options, const std::string& path,
               double latency_ms) {
  nlohmann::ordered_json line = {{"image", path},
                                 {"top", AsJson(model, TopK(session.logits(), options.top_k))},
                                 {"latency_ms", latency_ms}};
  if (options.logits) line["logits"] = session.logits();
  PrintJsonLine(line);
}

void PrintText(const Model& model, const Session& session, const Options& options, const std::string& path,
               double latency_ms) {
  std::printf("%s  (%.1f ms)\n", Printable(path).c_str(), latency_ms);
  for (const Guess& guess : TopK(session.logits(), options.top_k)) {
    constexpr int kBar = 24;
    const std::string bar(static_cast<size_t>(guess.probability * kBar + 0.5f), '#');
    std::printf("  %5.1f%%  %-*s  %s\n", 100 * static_cast<double>(guess.probability), kBar, bar.c_str(),
                PrintableLabelOf(model, guess.index).c_str());
  }
  if (!options.logits) return;
  std::printf("  logits");
  for (const float value : session.logits()) std::printf(" %.6g", static_cast<double>(value));
  std::printf("\n");
}

void Classify(const Options& options, int* exit_code) {
  const Model model = OrFail(Model::Open(options.model.c_str()));
  Session session = options.CreateSession(model);
  if (session.logits().empty())
    throw Failure(options.model + ": this model has no classifier; use vitrine embed");
  RunOnPhotos(session, options.images, exit_code, [&](const std::string& path, double latency_ms) {
    (options.json ? PrintJson : PrintText)(model, session, options, path, latency_ms);
    std::fflush(stdout);
  });
}

void Declare(CLI::App& command, int* exit_code) {
  auto options = std::make_shared<Options>();
  options->Declare(command);
  options->DeclarePacked(command);
  command.add_option("IMAGE", options->images, "Photos: JPEG, PNG, BMP or PNM")->required()->type_name("");
  command.add_option("--top-k", options->top_k, "Number of classes to print")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000))
      ->type_name("K");
  command.add_flag("--logits", options->logits, "Print the raw scores (logits) of all classes as well");
  command.callback([options, exit_code] { Classify(*options, exit_code); });
}

}  // namespace

extern const Command kClassify;
const Command kClassify = {"classify", "Classify photos", Declare};

}  // namespace vitrine
