// SPDX-License-Identifier: Apache-2.0
// vitrine eval: accuracy on labelled photos, and where two models differ.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "platforms/linux/cli/command.h"
#include "platforms/linux/cli/command_line.h"
#include "platforms/linux/cli/output.h"
#include "platforms/linux/photos/classes.h"
#include "platforms/linux/photos/evaluation.h"
#include "platforms/linux/photos/photo_set.h"

namespace vitrine {
namespace {

using Clock = std::chrono::steady_clock;

struct Options : CommonOptions {
  std::string folder, list, against;
};

/// A model and what runs it.
struct Loaded {
  Model model;
  Session session;

  std::span<const float> output() const {
    return session.logits().empty() ? session.embedding() : session.logits();
  }
};

void CountAnswer(const std::vector<Guess>& top, int truth, Evaluation* evaluation) {
  if (truth < 0) return;
  evaluation->right += top.front().index == truth;
  evaluation->right_in_five +=
      std::any_of(top.begin(), top.end(), [&](const Guess& g) { return g.index == truth; });
  ++evaluation->confusion[{truth, top.front().index}];
}

void Compare(std::span<const float> ours, std::span<const float> theirs, const LabelledPhoto& photo,
             bool has_classes, Comparison* comparison) {
  comparison->sqnr.Add(theirs, ours);
  if (!has_classes) return;
  std::vector<Guess> our_top = TopK(ours, 5), their_top = TopK(theirs, 5);
  const bool same = our_top.front().index == their_top.front().index;
  comparison->same += same;
  if (!same)
    comparison->differences.push_back({photo.path, photo.truth, std::move(our_top), std::move(their_top)});
}

/// Runs the models on all photos. Reports and counts the photos that cannot be read.
Evaluation Run(const PhotoSet& set, Loaded& ours, Loaded* theirs, bool show_progress) {
  Evaluation evaluation;
  Progress bar(show_progress);
  for (size_t i = 0; i < set.photos.size(); ++i) {
    const LabelledPhoto& photo = set.photos[i];
    const Result<Image> image = Image::Load(photo.path.c_str());
    if (!image.ok()) {
      bar.Clear();
      PrintError("vitrine", image.status().message());
      ++evaluation.unreadable;
      continue;
    }
    const auto start = Clock::now();
    OrFail(ours.session.SetImage(image.value().view()));
    OrFail(ours.session.Run());
    evaluation.latencies.Add(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    ++evaluation.images;
    const bool has_classes = !ours.session.logits().empty();
    if (has_classes) CountAnswer(TopK(ours.session.logits(), 5), photo.truth, &evaluation);
    if (theirs != nullptr) {
      OrFail(theirs->session.SetImage(image.value().view()));
      OrFail(theirs->session.Run());
      Compare(ours.output(), theirs->output(), photo, has_classes, &evaluation.against);
    }
    bar.Show("evaluating", static_cast<double>(i + 1) / static_cast<double>(set.photos.size()));
  }
  return evaluation;
}

Loaded LoadOther(const Options& options, const Loaded& ours) {
  Model model = OrFail(Model::Open(options.against.c_str()));
  Session session = options.CreateSession(model, options.against, Options::kNone);
  Loaded theirs{std::move(model), std::move(session)};
  if (theirs.output().size() != ours.output().size() ||
      theirs.session.logits().empty() != ours.session.logits().empty()) {
    throw Failure(options.against + ": has " + std::to_string(theirs.output().size()) + " outputs, " +
                  options.model + " has " + std::to_string(ours.output().size()));
  }
  return theirs;
}

void Evaluate(const Options& options, int* exit_code) {
  Model model = OrFail(Model::Open(options.model.c_str()));
  Session session = options.CreateSession(model);
  Loaded ours{std::move(model), std::move(session)};
  const int classes = static_cast<int>(ours.session.logits().size());
  if (classes == 0 && options.against.empty())
    throw Failure(options.model + ": this model has no classifier; use --against to compare embeddings");
  const PhotoSet set = options.list.empty() ? PhotosIn(options.folder, ours.model, classes)
                                            : PhotosOfList(options.list, ours.model, classes);
  if (!set.labelled() && options.against.empty())
    throw Failure((options.list.empty() ? options.folder : options.list) +
                  ": the photos have no classes: put them in one folder per class, or use --against");
  std::optional<Loaded> theirs;
  if (!options.against.empty()) theirs.emplace(LoadOther(options, ours));
  const Evaluation evaluation = Run(set, ours, theirs ? &*theirs : nullptr, !options.json);
  if (evaluation.images == 0) throw Failure("no photo could be read");
  const EvaluationSubject subject{
      ours.model,     set, classes, options.model, options.list.empty() ? options.folder : options.list,
      options.against};
  (options.json ? PrintAsJson : PrintAsText)(evaluation, subject);
  if (evaluation.unreadable > 0) *exit_code = kFailure;
}

void Declare(CLI::App& command, int* exit_code) {
  auto options = std::make_shared<Options>();
  options->Declare(command);
  options->DeclarePacked(command);
  CLI::Option* folder =
      command.add_option("DIR", options->folder, "Photos, in one folder per class")->type_name("");
  command
      .add_option("--list", options->list,
                  "Instead of DIR: a text file with one photo per line and its class after a tab, comma or "
                  "blank. Paths "
                  "are relative to the file's folder")
      ->type_name("FILE")
      ->excludes(folder);
  command
      .add_option("--against", options->against,
                  "A second model: list every photo on which the two name different classes")
      ->type_name("OTHER.vit");
  command.callback([options, exit_code] {
    if (options->folder.empty() && options->list.empty()) throw CLI::RequiredError("DIR or --list");
    Evaluate(*options, exit_code);
  });
}

}  // namespace

extern const Command kEval;
const Command kEval = {"eval", "Measure accuracy on labelled photos, and compare two models", Declare};

}  // namespace vitrine
