// SPDX-License-Identifier: Apache-2.0
#include "platforms/linux/photos/evaluation.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "platforms/linux/cli/output.h"
#include "platforms/linux/photos/classes.h"

namespace vitrine {
namespace {

using nlohmann::ordered_json;

ordered_json ToJson(const Model& model, const Comparison& against, const Evaluation& e, bool has_classes) {
  ordered_json json = {{"sqnr_db", against.sqnr.decibels()}};
  if (!has_classes) return json;
  json["agreement"] = e.Fraction(against.same);
  json["differences"] = ordered_json::array();
  for (const Difference& d : against.differences) {
    ordered_json entry = {{"image", d.image}};
    if (d.truth >= 0) entry["label"] = LabelOf(model, d.truth);
    entry["top"] = AsJson(model, d.ours);
    entry["against"] = AsJson(model, d.theirs);
    json["differences"].push_back(entry);
  }
  return json;
}

/// Prints the confusion matrix: rows are what the photos show, columns the model's answers.
void PrintMatrix(const Model& model, const Evaluation& e, int classes) {
  std::printf("\n  %-18s", "on the photo");
  for (int answer = 0; answer < classes; ++answer)
    std::printf(" %s", Cell(PrintableLabelOf(model, answer), 8, /*pad_left=*/true).c_str());
  std::printf("   right\n");
  for (int truth = 0; truth < classes; ++truth) {
    int total = 0, right = 0;
    std::printf("  %s", Cell(PrintableLabelOf(model, truth), 18).c_str());
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
    if (total > 0) std::printf("  %4.0f%%", 100.0 * right / total);
    std::printf("\n");
  }
}

/// Prints the most frequent mistakes.
void PrintMistakes(const Model& model, const Evaluation& e) {
  std::vector<std::pair<int, std::pair<int, int>>> mistakes;
  for (const auto& [pair, count] : e.confusion) {
    if (pair.first != pair.second) mistakes.push_back({count, pair});
  }
  std::stable_sort(mistakes.begin(), mistakes.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  constexpr size_t kShown = 10;
  if (!mistakes.empty()) std::printf("\n  most frequent mistakes\n");
  for (size_t i = 0; i < std::min(kShown, mistakes.size()); ++i) {
    const auto& [truth, answer] = mistakes[i].second;
    std::printf("  %5d  %s instead of %s\n", mistakes[i].first, PrintableLabelOf(model, answer).c_str(),
                PrintableLabelOf(model, truth).c_str());
  }
}

std::string TextOf(const Model& model, const std::vector<Guess>& top) {
  std::string text;
  for (const Guess& guess : top) {
    char number[16];
    std::snprintf(number, sizeof number, " %.1f%%", 100 * static_cast<double>(guess.probability));
    text += (text.empty() ? "" : ", ") + PrintableLabelOf(model, guess.index) + number;
  }
  return text;
}

void PrintAgainst(const Evaluation& e, const EvaluationSubject& subject) {
  const Model& model = subject.model;
  std::printf("  against   %s: %.1f dB", subject.against.c_str(), e.against.sqnr.decibels());
  if (subject.classes > 0) {
    std::printf(", same class on %d of %d (%.1f%%)", e.against.same, e.images,
                100 * e.Fraction(e.against.same));
  }
  std::printf("\n");
  for (const Difference& d : e.against.differences) {
    std::printf("\n  %s%s\n", Printable(d.image).c_str(),
                d.truth < 0 ? "" : ("  (" + PrintableLabelOf(model, d.truth) + ")").c_str());
    std::printf("    %-8s  %s\n    %-8s  %s\n", "this", TextOf(model, d.ours).c_str(), "against",
                TextOf(model, d.theirs).c_str());
  }
}

}  // namespace

void PrintAsJson(const Evaluation& e, const EvaluationSubject& subject) {
  const Model& model = subject.model;
  const bool has_classes = subject.classes > 0;
  ordered_json json = {{"images", e.images}};
  if (has_classes && subject.set.labelled()) {
    json["top1"] = e.Fraction(e.right);
    json["top5"] = e.Fraction(e.right_in_five);
  }
  json["latency_ms"] = e.latencies.AsJson();
  if (e.unreadable > 0) json["unreadable"] = e.unreadable;
  if (!subject.set.remark.empty()) json["note"] = subject.set.remark;
  for (const auto& [pair, count] : e.confusion) {
    json["confusion"].push_back(
        {{"label", LabelOf(model, pair.first)}, {"answer", LabelOf(model, pair.second)}, {"images", count}});
  }
  if (!subject.against.empty()) json["against"] = ToJson(model, e.against, e, has_classes);
  PrintJsonLine(json);
}

void PrintAsText(const Evaluation& e, const EvaluationSubject& subject) {
  const auto& [model, set, classes, model_path, photos_path, against] = subject;
  std::printf("%s on %s\n", model_path.c_str(), photos_path.c_str());
  if (!set.remark.empty()) std::printf("  note      %s\n", set.remark.c_str());
  std::printf("  images    %d\n", e.images);
  if (classes > 0 && set.labelled()) {
    std::printf("  top-1     %.2f%%  (%d)\n  top-5     %.2f%%  (%d)\n", 100 * e.Fraction(e.right), e.right,
                100 * e.Fraction(e.right_in_five), e.right_in_five);
  }
  std::printf("  latency   %s (resize and inference)\n", e.latencies.AsText().c_str());
  constexpr int kWidestMatrix = 16;
  if (!e.confusion.empty() && classes <= kWidestMatrix) PrintMatrix(model, e, classes);
  if (classes > kWidestMatrix) PrintMistakes(model, e);
  if (!against.empty()) PrintAgainst(e, subject);
}

}  // namespace vitrine
