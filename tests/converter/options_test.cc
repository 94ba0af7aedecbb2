// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fstream>

#include "converter/convert.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

ConvertOptions OptionsOf(Recipe recipe, bool has_photos) {
  ConvertOptions options;
  options.inputs.checkpoint = "model.safetensors";
  options.output = "model.vit";
  options.recipe = recipe;
  if (has_photos) options.calibrate = "photos";
  return options;
}

void CheckNeeds(const ConvertOptions& options, const std::string& message) {
  CHECK_THROWS_MATCHES(CheckOptions(options), UsageError, MessageMatches(ContainsSubstring(message)));
}

TEST_CASE("Every recipe accepts its own options") {
  for (const Recipe recipe : {Recipe::kDynamic, Recipe::kInt4, Recipe::kF32})
    CHECK_NOTHROW(CheckOptions(OptionsOf(recipe, false)));
  ConvertOptions options = OptionsOf(Recipe::kMixed, true);
  options.budget.min_sqnr_db = 30;
  options.calibration.smooth = false;
  options.calibration_images = 8;
  CHECK_NOTHROW(CheckOptions(options));
}

TEST_CASE("An option that the recipe does not use names the recipe that it needs") {
  ConvertOptions options = OptionsOf(Recipe::kStatic, true);
  options.budget.max_accuracy_drop = 0.1;
  CheckNeeds(options, "--max-accuracy-drop needs --recipe mixed");
  options = OptionsOf(Recipe::kDynamic, false);
  options.calibration.tables = false;
  CheckNeeds(options, "--no-tables needs --recipe static or mixed");
  options = OptionsOf(Recipe::kMixed, true);
  options.calibration.compensate_rounding = false;
  CheckNeeds(options, "--nearest-rounding needs --recipe int4");
  options = OptionsOf(Recipe::kDynamic, false);
  options.calibration_images = 8;
  CheckNeeds(options, "--calibrate-images needs --calibrate DIR");
  CheckNeeds(OptionsOf(Recipe::kStatic, false), "--recipe static needs --calibrate DIR");
}

TEST_CASE("Levels increase, and there are at most 16") {
  ConvertOptions options = OptionsOf(Recipe::kDynamic, false);
  for (const std::vector<int>& levels : {std::vector<int>{}, {-1}, {4, 2}, {4, 4}, std::vector<int>(17)}) {
    options.merged_tokens = levels;
    CheckNeeds(options, "--merge-tokens");
  }
  options.merged_tokens = {0, 8, 16};
  CHECK_NOTHROW(CheckOptions(options));
}

TEST_CASE("A report has a known ending, a folder and a name of its own") {
  const ConvertOptions options = OptionsOf(Recipe::kDynamic, false);
  CHECK_NOTHROW(CheckReport("report.html", options));
  CHECK_NOTHROW(CheckReport("report.json", options));
  CHECK_THROWS_AS(CheckReport("report.txt", options), UsageError);
  CHECK_THROWS_AS(CheckReport("no/such/folder/report.html", options), Error);
  ConvertOptions same = options;
  same.output = "one.json";
  CHECK_THROWS_AS(CheckReport("one.json", same), Error);
}

TEST_CASE("An input is not overwritten") {
  const fs::path folder = fs::temp_directory_path() / "vitrine-options-test";
  fs::create_directories(folder);
  for (const char* name : {"model.safetensors", "config.json", "notes.json"})
    std::ofstream(folder / name) << "{}";
  ConvertOptions options = OptionsOf(Recipe::kDynamic, false);
  options.inputs.checkpoint = folder;
  for (const char* name : {"model.safetensors", "config.json"}) {
    options.output = folder / name;
    CHECK_THROWS_AS(CheckOptions(options), Error);
  }
  options.output = folder / "notes.json";
  CHECK_NOTHROW(CheckOptions(options));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace vitrine
