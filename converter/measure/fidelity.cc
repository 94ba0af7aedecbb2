// SPDX-License-Identifier: Apache-2.0
#include "converter/measure/fidelity.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vitrine/sqnr.hpp>
#include <vitrine/vitrine.hpp>

#include "converter/error.h"
#include "converter/measure/segment.h"
#include "runtime/base/memory.h"
#include "runtime/program/program.h"

namespace vitrine {
namespace {

std::vector<Distribution::Channel> Reaches(std::span<const float> values, size_t columns, ChannelIs channel) {
  const size_t rows = values.size() / columns;
  std::vector<Distribution::Channel> channels(channel == ChannelIs::kRow ? rows : columns);
  for (size_t i = 0; i < channels.size(); ++i) channels[i] = {static_cast<int>(i), 0};
  for (size_t i = 0; i < values.size(); ++i) {
    float& largest = channels[channel == ChannelIs::kRow ? i / columns : i % columns].largest;
    largest = std::max(largest, std::abs(values[i]));
  }
  std::stable_sort(channels.begin(), channels.end(),
                   [](const auto& a, const auto& b) { return a.largest > b.largest; });
  return channels;
}

/// Returns the distribution of an operator's weights in f32.
Distribution WeightsOf(const Program& program, int operator_index) {
  const schema::Linear* linear = program.op(operator_index).kind_as_Linear();
  if (linear == nullptr) return {};
  const ConstantInfo weight = program.constant(linear->weight());
  const size_t count = weight.rows * weight.columns;
  if (weight.type == schema::Type::F32)
    return DistributionOf({weight.f32(), count}, weight.columns, ChannelIs::kRow);
  if (weight.type != schema::Type::QC8W) return {};
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = weight.int8()[i] * weight.scales()[i / weight.columns];
  return DistributionOf(values, weight.columns, ChannelIs::kRow);
}

/// Compares each operator of the file's first level with f32 on the first image. Keeps the f32 reference one segment
/// ahead of the file.
class Comparison {
 public:
  Comparison(const WrittenModel& file, const Model& model, const Session& session, Reference* reference,
             Fidelity* fidelity)
      : file_(file), model_(model), session_(session), reference_(*reference), fidelity_(*fidelity) {}

  /// Compares operator `index`, which has just run.
  void Compare(int index) {
    const OperatorInfo& op = model_.operators()[static_cast<size_t>(index)];
    const Layer& layer = file_.operators[static_cast<size_t>(index)];
    while (!reference_.first_image().contains(layer) && !reference_.done()) reference_.Advance();
    const auto expected = reference_.first_image().find(layer);
    const size_t size = static_cast<size_t>(op.rows * op.columns);
    const bool has_counterpart =
        expected != reference_.first_image().end() && expected->second.size() == size;
    if (!has_counterpart && model_.levels().front().merged_tokens == 0)
      Fail("internal: operator '", op.name, "' has no counterpart in f32");
    fidelity_.operator_sqnr_db.push_back(has_counterpart ? Measure(expected->second, index) : std::nan(""));
    fidelity_.operator_values.push_back(
        has_counterpart
            ? DistributionOf(expected->second, static_cast<size_t>(op.columns), ChannelIs::kColumn)
            : Distribution());
  }

 private:
  double Measure(std::span<const float> expected, int index) const {
    std::vector<float> found(expected.size());
    if (const Status status = session_.ReadOutput(index, found); !status.ok())
      Fail("internal: ", status.message());
    Sqnr sqnr;
    if (model_.operators()[static_cast<size_t>(index)].type == std::string_view("qs8_qc8w")) {
      // A table reads this output. Calibration cuts its range where the table's function is flat, so that clipped
      // values are no error.
      const auto [low, high] = std::minmax_element(found.begin(), found.end());
      std::vector<float> inside(expected.begin(), expected.end());
      for (float& value : inside) value = std::clamp(value, *low, *high);
      sqnr.Add(inside, found);
    } else {
      sqnr.Add(expected, found);
    }
    return sqnr.decibels();
  }

  const WrittenModel& file_;
  const Model& model_;
  const Session& session_;
  Reference& reference_;
  Fidelity& fidelity_;
};

void RunOn(Session* session, const std::vector<uint8_t>& pixels, size_t level = 0,
           const std::function<void(int)>& after = {}) {
  if (const Status status = session->SetLevel(static_cast<int>(level)); !status.ok())
    Fail("internal: ", status.message());
  std::memcpy(session->input().data(), pixels.data(), pixels.size());
  if (const Status status = RunSession(session, after); !status.ok())
    Fail("the file does not run: ", status.message());
}

std::span<const float> OutputOf(const Session& session) {
  return session.logits().empty() ? session.embedding() : session.logits();
}

std::vector<Guess> FirstFive(std::span<const float> logits) {
  std::vector<Guess> top(std::min<size_t>(5, logits.size()));
  TopClasses(logits, top);
  return top;
}

/// Compares a level's outputs with those of f32.
struct LevelCheck {
  Sqnr sqnr;
  int images = 0, agreed = 0;

  void Add(std::span<const float> expected, std::span<const float> found) {
    sqnr.Add(expected, found);
    agreed += Top1(expected) == Top1(found);
    ++images;
  }
  OutputFidelity Result(bool has_classes) const {
    return {sqnr.decibels(), has_classes ? static_cast<double>(agreed) / images : 1.0};
  }
};

/// Returns the f32 model on the first `count` images, smoothed like the file, so that each operator of the file has a
/// counterpart.
Reference ReferenceOf(const WrittenModel& file, const CheckImages& images, size_t count, int threads) {
  Plan plan(Recipe::kF32);
  plan.smoothing = file.plan.smoothing;
  return {file.vit,
          {images.pixels.begin(), images.pixels.begin() + static_cast<ptrdiff_t>(count)},
          threads,
          plan};
}

}  // namespace

Distribution DistributionOf(std::span<const float> values, size_t columns, ChannelIs channel) {
  Distribution distribution;
  distribution.counts.resize(Distribution::kBins);
  if (values.empty()) return distribution;
  distribution.outliers = Reaches(values, columns, channel);
  distribution.reach = distribution.outliers.front().largest;
  distribution.median_channel = distribution.outliers[distribution.outliers.size() / 2].largest;
  distribution.outliers.resize(std::min(distribution.outliers.size(), Distribution::kOutliers));
  const float scale = distribution.reach > 0 ? Distribution::kBins / (2 * distribution.reach) : 0;
  for (const float value : values) {
    const float bin = std::floor((value + distribution.reach) * scale);
    ++distribution.counts[static_cast<size_t>(std::clamp(bin, 0.0f, Distribution::kBins - 1.0f))];
  }
  return distribution;
}

std::vector<Distribution> WeightsOf(const std::filesystem::path& model, const std::vector<int>& operators) {
  const Result<MappedFile> file = MappedFile::Open(model.c_str());
  if (!file.ok()) Fail(file.status().message());
  const Result<Program> program = Program::Verify(file.value().bytes());
  if (!program.ok()) Fail(model.string(), ": ", program.status().message());
  std::vector<Distribution> distributions;
  for (const int op : operators) distributions.push_back(WeightsOf(program.value(), op));
  return distributions;
}

size_t Top1(std::span<const float> values) {
  return static_cast<size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

Fidelity MeasureFidelity(const WrittenModel& file, const CheckImages& images,
                         const std::vector<uint8_t>& self_test, const std::vector<std::vector<float>>* known,
                         int threads, const std::function<void(double)>& progress) {
  constexpr double kFirstImageShare = 0.9;  // of the time
  const Result<Model> model = Model::Open(file.path.c_str());
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

  // Where the outputs are known, only the operators' outputs for the first image are missing.
  Reference reference = ReferenceOf(file, images, known == nullptr ? images.pixels.size() : 1, threads);
  Comparison comparison(file, model.value(), session, &reference, &fidelity);
  const auto compare = [&](int index) {
    comparison.Compare(index);
    progress(kFirstImageShare * (index + 1) / static_cast<double>(model.value().operators().size()));
  };
  std::vector<LevelCheck> checks(model.value().levels().size());
  for (size_t i = 0; i < images.pixels.size(); ++i) {
    for (size_t level = 0; level < checks.size(); ++level) {
      RunOn(&session, images.pixels[i], level, i == 0 && level == 0 ? compare : std::function<void(int)>());
      const std::vector<float>& expected = known == nullptr ? reference.outputs()[i] : (*known)[i];
      checks[level].Add(expected, OutputOf(session));
      if (level == 0 && !session.logits().empty() && Top1(expected) != Top1(session.logits())) {
        fidelity.changed.push_back(
            {images.names.empty() ? "pattern " + std::to_string(i + 1) : images.names[i], images.pixels[i],
             FirstFive(expected), FirstFive(session.logits())});
      }
    }
    progress(kFirstImageShare +
             (1 - kFirstImageShare) * static_cast<double>(i + 1) / static_cast<double>(images.pixels.size()));
  }
  for (const LevelCheck& check : checks) fidelity.levels.push_back(check.Result(!session.logits().empty()));
  return fidelity;
}

}  // namespace vitrine
