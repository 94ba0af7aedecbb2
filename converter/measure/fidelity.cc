// SPDX-License-Identifier: Apache-2.0
#include "converter/measure/fidelity.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vitrine/vitrine.hpp>

#include "converter/error.h"
#include "converter/measure/reference.h"

namespace vitrine {
namespace {

struct Noise {
  double signal = 0, noise = 0;
  void Add(std::span<const float> expected, std::span<const float> found) {
    for (size_t i = 0; i < expected.size(); ++i) {
      const double difference = double{found[i]} - double{expected[i]};
      signal += double{expected[i]} * double{expected[i]};
      noise += difference * difference;
    }
  }
  double decibels() const { return Decibels(signal, noise); }
};

/// Follows the run of the file's first level on the first image, and keeps the f32 reference one segment
/// ahead of it.
struct Comparison {
  const Model& model;
  const Session& session;
  Reference& reference;
  Fidelity& fidelity;
  const std::function<void(double)>& progress;

  static void After(void* context, int index) { static_cast<Comparison*>(context)->Compare(index); }

  void Compare(int index) {
    const OperatorInfo& op = model.operators()[static_cast<size_t>(index)];
    while (!reference.first_image().contains(op.name) && !reference.done()) reference.Advance();
    const auto expected = reference.first_image().find(op.name);
    const size_t size = static_cast<size_t>(op.rows * op.columns);
    const bool has_counterpart = expected != reference.first_image().end() && expected->second.size() == size;
    if (!has_counterpart && model.levels().front().merged_tokens == 0)
      Fail("internal: operator '", op.name, "' has no counterpart in f32");
    fidelity.operator_sqnr_db.push_back(has_counterpart ? Measure(expected->second, index) : std::nan(""));
    fidelity.operator_values.push_back(
        has_counterpart
            ? DistributionOf(expected->second, static_cast<size_t>(op.columns), ChannelIs::kColumn)
            : Distribution());
    progress(0.9 * (index + 1) / static_cast<double>(model.operators().size()));
  }

  double Measure(std::span<const float> expected, int index) const {
    std::vector<float> found(expected.size());
    if (const Status status = session.ReadOutput(index, found); !status.ok())
      Fail("internal: ", status.message());
    Noise noise;
    if (model.operators()[static_cast<size_t>(index)].type == std::string_view("qs8_qc8w")) {
      // What lies beyond its range is cut where the function behind it is flat: nothing is lost.
      const auto [low, high] = std::minmax_element(found.begin(), found.end());
      std::vector<float> inside(expected.begin(), expected.end());
      for (float& value : inside) value = std::clamp(value, *low, *high);
      noise.Add(inside, found);
    } else {
      noise.Add(expected, found);
    }
    return noise.decibels();
  }
};

void RunOn(Session* session, const std::vector<uint8_t>& pixels, size_t level = 0,
           const Observer& observer = {}) {
  if (const Status status = session->SetLevel(static_cast<int>(level)); !status.ok())
    Fail("internal: ", status.message());
  std::memcpy(session->input().data(), pixels.data(), pixels.size());
  if (const Status status = session->Run(observer); !status.ok())
    Fail("the file does not run: ", status.message());
}

std::span<const float> OutputOf(const Session& session) {
  return session.logits().empty() ? session.embedding() : session.logits();
}

size_t Top1(std::span<const float> values) {
  return static_cast<size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

std::vector<Guess> FirstFive(std::span<const float> logits) {
  std::vector<Guess> top(std::min<size_t>(5, logits.size()));
  TopClasses(logits, top);
  return top;
}

/// A level's outputs beside those of f32.
struct LevelCheck {
  Noise noise;
  int images = 0, agreed = 0;

  void Add(std::span<const float> expected, std::span<const float> found) {
    noise.Add(expected, found);
    agreed += Top1(expected) == Top1(found);
    ++images;
  }
  OutputFidelity Result(bool has_classes) const {
    return {noise.decibels(), has_classes ? static_cast<double>(agreed) / images : 1.0};
  }
};

}  // namespace

double Decibels(double signal, double noise) {
  constexpr double kMost = 200;
  if (noise <= 0) return kMost;
  return std::min(kMost, 10 * std::log10(std::max(signal, 1e-30) / noise));
}

Fidelity MeasureFidelity(const std::filesystem::path& path, const Vit& vit, const Plan& plan,
                         const CheckImages& images, const std::vector<uint8_t>& self_test,
                         const std::vector<std::vector<float>>* known, int threads,
                         const std::function<void(double)>& progress) {
  const Result<Model> model = Model::Open(path.c_str());
  if (!model.ok()) Fail("the file does not load: ", model.status().message());
  Result<Session> created = Session::Create(model.value(), {.thread_count = threads});
  if (!created.ok()) Fail("the file does not run: ", created.status().message());
  Session& session = created.value();

  Fidelity fidelity;
  fidelity.images = static_cast<int>(images.pixels.size());
  fidelity.synthetic = images.synthetic;
  fidelity.arena_bytes = session.arena_bytes();
  RunOn(&session, self_test);
  fidelity.first_output.assign(OutputOf(session).begin(), OutputOf(session).end());

  // Where the outputs are known, only what each operator gives for the first image is not.
  const size_t followed = known == nullptr ? images.pixels.size() : 1;
  // Smoothed as the file is, so that each operator has a counterpart.
  Plan reference_plan(Recipe::kF32);
  reference_plan.smoothing = plan.smoothing;
  Reference reference(vit, {images.pixels.begin(), images.pixels.begin() + static_cast<ptrdiff_t>(followed)},
                      threads, reference_plan);
  Comparison comparison{model.value(), session, reference, fidelity, progress};
  std::vector<LevelCheck> checks(model.value().levels().size());
  for (size_t i = 0; i < images.pixels.size(); ++i) {
    for (size_t level = 0; level < checks.size(); ++level) {
      const bool follow = i == 0 && level == 0;
      RunOn(&session, images.pixels[i], level,
            follow ? Observer{Comparison::After, &comparison} : Observer{});
      const std::vector<float>& expected = known == nullptr ? reference.outputs()[i] : (*known)[i];
      checks[level].Add(expected, OutputOf(session));
      if (level == 0 && !session.logits().empty() && Top1(expected) != Top1(session.logits())) {
        fidelity.changed.push_back(
            {images.names.empty() ? "pattern " + std::to_string(i + 1) : images.names[i], images.pixels[i],
             FirstFive(expected), FirstFive(session.logits())});
      }
    }
    progress(0.9 + 0.1 * static_cast<double>(i + 1) / static_cast<double>(images.pixels.size()));
  }
  for (const LevelCheck& check : checks) fidelity.levels.push_back(check.Result(!session.logits().empty()));
  return fidelity;
}

}  // namespace vitrine
