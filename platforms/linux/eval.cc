// SPDX-License-Identifier: Apache-2.0
// vitrine eval: how often a model is right on labelled photos, and where it differs from another model.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "platforms/linux/command.h"
#include "platforms/linux/command_line.h"
#include "platforms/linux/photo_set.h"
#include "platforms/linux/progress.h"
#include "platforms/linux/top_k.h"

namespace vitrine {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::ordered_json;

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

/// A photo on which the two models name different classes.
struct Difference {
  std::string image;
  int truth;
  std::vector<Guess> ours, theirs;
};

/// Against another model: the energy of its output, and of what ours adds to it.
struct Comparison {
  double signal = 0, noise = 0;
  int same = 0;
  std::vector<Difference> differences;

  double sqnr_db() const { return noise > 0 ? 10 * std::log10(signal / noise) : 200; }
};

struct Evaluation {
  int images = 0, right = 0, right_in_five = 0, unreadable = 0;
  std::map<std::pair<int, int>, int> confusion;  // (truth, answer) -> photos
  std::vector<double> latency_ms;
  Comparison against;

  double Fraction(int count) const { return static_cast<double>(count) / std::max(1, images); }
  double LatencyPercentile(double percent) const {
    if (latency_ms.empty()) return 0;
    const size_t rank = static_cast<size_t>(percent / 100 * static_cast<double>(latency_ms.size() - 1) + 0.5);
    return latency_ms[rank];
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
  for (size_t i = 0; i < ours.size(); ++i) {
    const double difference = double{ours[i]} - double{theirs[i]};
    comparison->signal += double{theirs[i]} * double{theirs[i]};
    comparison->noise += difference * difference;
  }
  if (!has_classes) return;
  std::vector<Guess> our_top = TopK(ours, 5), their_top = TopK(theirs, 5);
  const bool same = our_top.front().index == their_top.front().index;
  comparison->same += same;
  if (!same)
    comparison->differences.push_back({photo.path, photo.truth, std::move(our_top), std::move(their_top)});
}

/// A photo that cannot be read is said and counted, and the next one has its turn.
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
    evaluation.latency_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
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
  std::sort(evaluation.latency_ms.begin(), evaluation.latency_ms.end());
  return evaluation;
}

ordered_json ToJson(const Model& model, const std::vector<Guess>& top) {
  ordered_json json = ordered_json::array();
  for (const Guess& guess : top)
    json.push_back(
        {{"index", guess.index}, {"label", LabelOf(model, guess.index)}, {"probability", guess.probability}});
  return json;
}

ordered_json ToJson(const Model& model, const Comparison& against, const Evaluation& e, bool has_classes) {
  ordered_json json = {{"sqnr_db", against.sqnr_db()}};
  if (!has_classes) return json;
  json["agreement"] = e.Fraction(against.same);
  json["differences"] = ordered_json::array();
  for (const Difference& d : against.differences) {
    ordered_json entry = {{"image", d.image}};
    if (d.truth >= 0) entry["label"] = LabelOf(model, d.truth);
    entry["top"] = ToJson(model, d.ours);
    entry["against"] = ToJson(model, d.theirs);
    json["differences"].push_back(entry);
  }
  return json;
}

void PrintJson(const Options& options, const PhotoSet& set, const Model& model, const Evaluation& e,
               bool has_classes) {
  ordered_json json = {{"images", e.images}};
  if (has_classes && set.labelled()) {
    json["top1"] = e.Fraction(e.right);
    json["top5"] = e.Fraction(e.right_in_five);
  }
  json["latency_ms"] = {
      {"p50", e.LatencyPercentile(50)}, {"p90", e.LatencyPercentile(90)}, {"p99", e.LatencyPercentile(99)}};
  if (e.unreadable > 0) json["unreadable"] = e.unreadable;
  for (const auto& [pair, count] : e.confusion) {
    json["confusion"].push_back(
        {{"label", LabelOf(model, pair.first)}, {"answer", LabelOf(model, pair.second)}, {"images", count}});
  }
  if (!options.against.empty()) json["against"] = ToJson(model, e.against, e, has_classes);
  std::printf("%s\n", json.dump(-1, ' ', false, ordered_json::error_handler_t::replace).c_str());
}

/// Rows are what is on the photos, columns the model's answers.
void PrintMatrix(const Model& model, const Evaluation& e, int classes) {
  std::printf("\n  %-18s", "on the photo");
  for (int answer = 0; answer < classes; ++answer) std::printf(" %8.8s", LabelOf(model, answer).c_str());
  std::printf("   right\n");
  for (int truth = 0; truth < classes; ++truth) {
    int total = 0, right = 0;
    std::printf("  %-18.18s", LabelOf(model, truth).c_str());
    for (int answer = 0; answer < classes; ++answer) {
      const auto found = e.confusion.find({truth, answer});
      const int count = found == e.confusion.end() ? 0 : found->second;
      total += count;
      if (answer == truth) right = count;
      if (count == 0)
        std::printf(" %8s", ".");
      else
        std::printf(" %8d", count);
    }
    if (total > 0) std::printf("  %4.0f %%", 100.0 * right / total);
    std::printf("\n");
  }
}

/// What is taken for what, most often first.
void PrintMistakes(const Model& model, const Evaluation& e) {
  std::vector<std::pair<int, std::pair<int, int>>> mistakes;
  for (const auto& [pair, count] : e.confusion) {
    if (pair.first != pair.second) mistakes.push_back({count, pair});
  }
  std::stable_sort(mistakes.begin(), mistakes.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  constexpr size_t kShown = 10;
  if (!mistakes.empty()) std::printf("\n  most often taken for something else\n");
  for (size_t i = 0; i < std::min(kShown, mistakes.size()); ++i) {
    const auto& [truth, answer] = mistakes[i].second;
    std::printf("  %5d  %s for %s\n", mistakes[i].first, LabelOf(model, truth).c_str(),
                LabelOf(model, answer).c_str());
  }
}

std::string TextOf(const Model& model, const std::vector<Guess>& top) {
  std::string text;
  for (const Guess& guess : top) {
    char number[16];
    std::snprintf(number, sizeof number, " %.1f %%", 100 * static_cast<double>(guess.probability));
    text += (text.empty() ? "" : ", ") + LabelOf(model, guess.index) + number;
  }
  return text;
}

void PrintAgainst(const Options& options, const Model& model, const Evaluation& e, bool has_classes) {
  std::printf("  against   %s: %.1f dB", options.against.c_str(), e.against.sqnr_db());
  if (has_classes) {
    std::printf(", same class on %d of %d (%.1f %%)", e.against.same, e.images,
                100 * e.Fraction(e.against.same));
  }
  std::printf("\n");
  for (const Difference& d : e.against.differences) {
    std::printf("\n  %s%s\n", d.image.c_str(),
                d.truth < 0 ? "" : ("  (" + LabelOf(model, d.truth) + ")").c_str());
    std::printf("    %-8s  %s\n    %-8s  %s\n", "this", TextOf(model, d.ours).c_str(), "against",
                TextOf(model, d.theirs).c_str());
  }
}

void PrintText(const Options& options, const PhotoSet& set, const Model& model, const Evaluation& e,
               int classes) {
  std::printf("%s on %s\n", options.model.c_str(),
              (options.list.empty() ? options.folder : options.list).c_str());
  if (!set.remark.empty()) std::printf("  note      %s\n", set.remark.c_str());
  std::printf("  images    %d\n", e.images);
  if (classes > 0 && set.labelled()) {
    std::printf("  top-1     %.2f %%  (%d)\n  top-5     %.2f %%  (%d)\n", 100 * e.Fraction(e.right), e.right,
                100 * e.Fraction(e.right_in_five), e.right_in_five);
  }
  std::printf("  latency   p50 %.2f ms, p90 %.2f, p99 %.2f, resize and inference\n", e.LatencyPercentile(50),
              e.LatencyPercentile(90), e.LatencyPercentile(99));
  constexpr int kWidestMatrix = 16;
  if (!e.confusion.empty() && classes <= kWidestMatrix) PrintMatrix(model, e, classes);
  if (classes > kWidestMatrix) PrintMistakes(model, e);
  if (!options.against.empty()) PrintAgainst(options, model, e, classes > 0);
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
    throw Failure(options.model + ": has no classifier: give --against to compare embeddings");
  const PhotoSet set = options.list.empty() ? PhotosIn(options.folder, ours.model, classes)
                                            : PhotosOfList(options.list, ours.model, classes);
  if (!set.labelled() && options.against.empty())
    throw Failure(
        (options.list.empty() ? options.folder : options.list) +
        ": does not say what is on the photos: put them in a folder for each class, or give --against");
  std::optional<Loaded> theirs;
  if (!options.against.empty()) theirs.emplace(LoadOther(options, ours));
  const Evaluation evaluation = Run(set, ours, theirs ? &*theirs : nullptr, !options.json);
  if (evaluation.images == 0) throw Failure("none of the photos could be read");
  if (options.json)
    PrintJson(options, set, ours.model, evaluation, classes > 0);
  else
    PrintText(options, set, ours.model, evaluation, classes);
  if (evaluation.unreadable > 0) *exit_code = kFailure;
}

}  // namespace

void AddEval(CLI::App& app, int* exit_code) {
  CLI::App* command =
      app.add_subcommand("eval", "Measure accuracy on labelled photos, and compare two models");
  auto options = std::make_shared<Options>();
  options->Declare(*command);
  options->DeclarePacked(*command);
  CLI::Option* folder =
      command->add_option("DIR", options->folder, "Photos, in a folder for each class")->type_name("");
  command
      ->add_option("--list", options->list, "Instead of DIR: a file with a photo and its class on each line")
      ->type_name("FILE")
      ->excludes(folder);
  command
      ->add_option("--against", options->against,
                   "Another model: also list every photo on which the two name different classes")
      ->type_name("OTHER.vit");
  command->callback([options, exit_code] {
    if (options->folder.empty() && options->list.empty()) throw CLI::RequiredError("DIR or --list");
    Evaluate(*options, exit_code);
  });
}

}  // namespace vitrine
