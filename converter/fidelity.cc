// SPDX-License-Identifier: Apache-2.0
#include "converter/fidelity.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vitrine/vitrine.hpp>

#include "converter/error.h"
#include "converter/reference.h"

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

/// Follows the file's run on the first image, and keeps the f32 reference one segment ahead of it.
struct Comparison {
  const Model& model;
  const Session& session;
  Reference& reference;
  std::vector<double>& sqnr_db;
  const std::function<void(double)>& progress;

  static void After(void* context, int index) { static_cast<Comparison*>(context)->Compare(index); }

  void Compare(int index) {
    const OperatorInfo& op = model.operators()[static_cast<size_t>(index)];
    while (!reference.first_image().contains(op.name) && !reference.done()) reference.Advance();
    const auto expected = reference.first_image().find(op.name);
    if (expected == reference.first_image().end())
      Fail("internal: operator '", op.name, "' has no counterpart in f32");
    std::vector<float> found(expected->second.size());
    if (const Status status = session.ReadOutput(index, found); !status.ok())
      Fail("internal: ", status.message());
    Noise noise;
    noise.Add(expected->second, found);
    sqnr_db.push_back(noise.decibels());
    progress(0.9 * (index + 1) / static_cast<double>(model.operators().size()));
  }
};

void RunOn(Session* session, const std::vector<uint8_t>& pixels, const Observer& observer = {}) {
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

}  // namespace

double Decibels(double signal, double noise) {
  constexpr double kMost = 200;
  if (noise <= 0) return kMost;
  return std::min(kMost, 10 * std::log10(std::max(signal, 1e-30) / noise));
}

Fidelity MeasureFidelity(const std::filesystem::path& path, const Vit& vit, const CheckImages& images,
                         const std::vector<uint8_t>& self_test, int threads,
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

  Reference reference(vit, images.pixels, threads);
  Comparison comparison{model.value(), session, reference, fidelity.operator_sqnr_db, progress};
  Noise noise;
  int agreed = 0;
  for (size_t i = 0; i < images.pixels.size(); ++i) {
    RunOn(&session, images.pixels[i], i == 0 ? Observer{Comparison::After, &comparison} : Observer{});
    const std::vector<float>& expected = reference.outputs()[i];
    noise.Add(expected, OutputOf(session));
    agreed += Top1(expected) == Top1(OutputOf(session));
    progress(0.9 + 0.1 * static_cast<double>(i + 1) / static_cast<double>(images.pixels.size()));
  }
  fidelity.sqnr_db = noise.decibels();
  if (!session.logits().empty())
    fidelity.agreement = static_cast<double>(agreed) / static_cast<double>(images.pixels.size());
  return fidelity;
}

}  // namespace vitrine
