// SPDX-License-Identifier: Apache-2.0
// Reads the large set of checkpoints written by the models' own libraries, from $VITRINE_SHARED or from
// shared/ next to the checkout. Skips the test if there is none.
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>

#include "tests/converter/checkpoint/files.h"

namespace vitrine::checkpoint {
namespace {

using nlohmann::json;

std::filesystem::path SharedFixtures() {
  const char* shared = std::getenv("VITRINE_SHARED");
  const std::filesystem::path root = shared != nullptr ? shared : VITRINE_SOURCE_DIR "/../shared";
  return root / "fixtures";
}

TEST_CASE("Every checkpoint of the wide set has the tensors that its meta.json lists") {
  const std::filesystem::path fixtures = SharedFixtures();
  if (!std::filesystem::exists(fixtures / "index.json")) SKIP("no fixtures at " << fixtures);
  int opened = 0;
  for (const json& entry : json::parse(ReadBytes(fixtures / "index.json"))) {
    const std::string name = entry["name"];
    const json meta = json::parse(ReadBytes(fixtures / name / "meta.json"));
    if (!meta.contains("state_dict")) continue;  // ONNX files have no state_dict
    INFO(name);
    const Checkpoint checkpoint =
        OpenForTest(fixtures / name / meta["checkpoint"]["file"].get<std::string>());
    json found = json::object();
    for (const auto& [tensor, value] : checkpoint.tensors()) found[tensor] = value.shape;
    CHECK(found == meta["state_dict"]);
    ++opened;
  }
  CHECK(opened >= 49);
}

}  // namespace
}  // namespace vitrine::checkpoint
