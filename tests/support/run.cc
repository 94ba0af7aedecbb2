// SPDX-License-Identifier: Apache-2.0
#include "tests/support/run.h"

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <vitrine/sqnr.hpp>

namespace vitrine::testing {
namespace {

struct Capture {
  const Model& model;
  const Session& session;
  Outputs& outputs;

  static void After(void* context, int index) {
    Capture& c = *static_cast<Capture*>(context);
    const OperatorInfo& op = c.model.operators()[static_cast<size_t>(index)];
    std::vector<float> values(static_cast<size_t>(op.rows * op.columns));
    REQUIRE(c.session.ReadOutput(index, values).ok());
    c.outputs.of_operator.push_back(values);
  }
};

}  // namespace

Outputs RunModel(const ModelBytes& bytes, std::span<const float> input, int threads) {
  const Result<Model> model = Model::FromBytes(bytes.bytes());
  INFO(model.status().message());
  REQUIRE(model.ok());
  Result<Session> created = Session::Create(model.value(), {.thread_count = threads});
  INFO(created.status().message());
  REQUIRE(created.ok());
  Session& session = created.value();
  REQUIRE(session.input().size() == input.size_bytes());
  std::memcpy(session.input().data(), input.data(), input.size_bytes());
  Outputs outputs;
  Capture capture{model.value(), session, outputs};
  REQUIRE(session.Run({Capture::After, &capture}).ok());
  return outputs;
}

std::string WhyRefused(const ModelBytes& bytes) {
  const Result<Model> model = Model::FromBytes(bytes.bytes());
  REQUIRE_FALSE(model.ok());
  return model.status().message();
}

double Sqnr(std::span<const float> expected, std::span<const float> found) {
  REQUIRE(expected.size() == found.size());
  vitrine::Sqnr sqnr;
  sqnr.Add(expected, found);
  return sqnr.decibels();
}

}  // namespace vitrine::testing
