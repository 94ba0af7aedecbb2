// SPDX-License-Identifier: Apache-2.0
// Whole conversions: every fixture in every recipe gives the outputs of the original library.
#include "converter/convert.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <random>
#include <string>
#include <vitrine/vitrine.hpp>

#include "converter/error.h"
#include "converter/family/family.h"
#include "tests/support/fixture.h"
#include "tests/end_to_end/golden/golden_files.h"
#include "tests/support/reference_vit.h"

namespace vitrine {
namespace {

void NoProgress(const std::string&, double) {}

Golden Convert(const ModelFixture& fixture, Recipe recipe, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  Golden golden{fixture.name, Name(recipe), folder / (fixture.name + "." + Name(recipe) + ".vit"),
                fixture.images, fixture.outputs};
  ConvertOptions options;
  options.inputs = fixture.inputs;
  options.output = golden.model;
  options.recipe = recipe;
  options.merged_tokens = {fixture.merged_tokens};
  options.threads = 1;
  Convert(options, NoProgress);
  return golden;
}

void ConvertAndCheck(const std::vector<ModelFixture>& fixtures, const std::filesystem::path& folder,
                     bool keep) {
  for (const ModelFixture& fixture : fixtures) {
    for (const Recipe recipe : {Recipe::kF32, Recipe::kDynamic}) {
      INFO(fixture.name);
      const Golden golden = Convert(fixture, recipe, folder);
      CheckGolden(golden);
      if (keep) WriteGolden(golden);
    }
  }
}

TEST_CASE("EveryCommittedModelConvertsAndGivesItsLibrarysOutput") {
  ConvertAndCheck(CommittedFixtures(), GoldenFolder(), true);
}

/// Compares in f32, because int8 may merge other tokens if several are equally similar.
TEST_CASE("MergingTokensGivesWhatThePaperSays") {
  for (ModelFixture fixture : MergedFixtures()) {
    INFO(fixture.name);
    fixture.name = "merged_" + fixture.name;
    const Golden golden = Convert(fixture, Recipe::kF32, GoldenFolder());
    CheckGolden(golden);
    WriteGolden(golden);
  }
}

/// Returns the logits of each image at a level of the file.
std::vector<std::vector<float>> LogitsOf(const Golden& golden, int level, const char* packed = nullptr) {
  const Result<Model> model = Model::Open(golden.model.c_str());
  REQUIRE(model.ok());
  Result<Session> session = Session::Create(model.value(), {.packed_weights = packed});
  REQUIRE(session.ok());
  REQUIRE(session.value().SetLevel(level).ok());
  std::vector<std::vector<float>> logits;
  for (const std::vector<uint8_t>& image : golden.images) {
    std::copy(image.begin(), image.end(), session.value().input().begin());
    REQUIRE(session.value().Run().ok());
    logits.emplace_back(session.value().logits().begin(), session.value().logits().end());
  }
  return logits;
}

TEST_CASE("LevelsOfOneFileGiveWhatFilesOfTheirOwnGive") {
  const checkpoint::ScratchFolder folder;
  ModelFixture fixture = MergedFixtures().front();
  ConvertOptions options;
  options.inputs = fixture.inputs;
  options.output = folder.path() / "levels.vit";
  options.merged_tokens = {0, 2, 3};
  const ConversionSummary summary = Convert(options, NoProgress);
  REQUIRE(summary.levels.size() == 3);
  CHECK(summary.levels[2].macs < summary.levels[1].macs);
  Golden levels{"levels", "dynamic", options.output, fixture.images, {}};
  const std::string packed = folder.path() / "packed";
  for (const int level : {0, 1, 2}) {
    options.output = folder.path() / "alone.vit";
    // A file that merges no tokens has no key bias. For attention this changes only the rounding.
    options.merged_tokens = level == 0 ? std::vector<int>{0, 1} : std::vector<int>{level + 1};
    Convert(options, NoProgress);
    const Golden alone{"alone", "dynamic", options.output, fixture.images, {}};
    CHECK(LogitsOf(levels, level) == LogitsOf(alone, 0));
    CHECK(LogitsOf(levels, level, packed.c_str()) == LogitsOf(alone, 0));
  }
}

TEST_CASE("EveryModelOfTheWideSetConvertsAndGivesItsLibrarysOutput") {
  const std::vector<ModelFixture> fixtures = WideFixtures();
  if (fixtures.empty()) SKIP("the wide set is not at hand");
  const checkpoint::ScratchFolder folder;
  ConvertAndCheck(fixtures, folder.path(), false);
}

TEST_CASE("AnyNumberOfClassesAndChannelsGivesWhatTheFormulaGives") {
  for (const int64_t classes : {1, 2, 22'000}) {
    for (const int64_t channels : {1, 2, 3, 4}) {
      const checkpoint::ScratchFolder folder;
      Shapes shapes = TinyTimmShapes();
      shapes["head.weight"] = {classes, 8};
      shapes["head.bias"] = {classes};
      shapes["patch_embed.proj.weight"] = {8, channels, 4, 4};
      ModelFixture fixture{"classes", {}, {}, {}};
      fixture.inputs.checkpoint = WriteRandom(folder, shapes);
      fixture.inputs.heads = 2;
      const auto checkpoint = OpenCheckpoint(fixture.inputs.checkpoint);
      const Vit vit = MakeVit(checkpoint, fixture.inputs);
      for (const unsigned seed : {1u, 2u}) {
        std::mt19937 generator(seed);
        std::vector<uint8_t>& image = fixture.images.emplace_back(64 * static_cast<size_t>(channels));
        for (uint8_t& pixel : image) pixel = static_cast<uint8_t>(generator());
        const std::vector<double> logits = RunReference(vit, image, false).logits;
        fixture.outputs.emplace_back(logits.begin(), logits.end());
      }
      for (const Recipe recipe : {Recipe::kF32, Recipe::kDynamic}) {
        INFO(classes << " classes, " << channels << " channels");
        CheckGolden(Convert(fixture, recipe, folder.path()));
      }
    }
  }
}

TEST_CASE("TheSameCheckpointGivesTheSameBytes") {
  const checkpoint::ScratchFolder folder;
  const ModelFixture fixture = CommittedFixtures().front();
  const auto bytes = [&](const char* name) {
    const Golden golden = Convert(fixture, Recipe::kDynamic, folder.path() / name);
    return checkpoint::ReadBytes(golden.model);
  };
  CHECK(bytes("a") == bytes("b"));
}

}  // namespace
}  // namespace vitrine
