// SPDX-License-Identifier: Apache-2.0
#include "converter/convert.h"

#include <catch2/catch_test_macros.hpp>
#include <iterator>
#include <stdexcept>

#include "tests/support/fixture.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

/// A tiny checkpoint with random weights, and a folder for the converted file.
struct Conversion {
  checkpoint::ScratchFolder source, target;
  ConvertOptions options;

  explicit Conversion(Recipe recipe) {
    options.inputs.checkpoint = WriteRandom(source, TinyTimmShapes());
    options.inputs.heads = 2;
    options.inputs.image_size = ImageSize{8, 8};
    options.output = target.path() / "model.vit";
    options.recipe = recipe;
  }
  size_t FileCount() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(target.path()), {}));
  }
};

TEST_CASE("A conversion writes one file and describes each of its operators") {
  Conversion conversion(Recipe::kDynamic);
  const ConversionSummary summary = Convert(conversion.options, [](const std::string&, double) {});
  CHECK(conversion.FileCount() == 1);
  CHECK(summary.file_bytes == fs::file_size(conversion.options.output));
  REQUIRE_FALSE(summary.operators.empty());
  for (const OperatorSummary& op : summary.operators) CHECK(op.name == NameOf(op.layer));
}

TEST_CASE("A progress function that throws cancels the conversion and leaves nothing") {
  for (const Recipe recipe : {Recipe::kDynamic, Recipe::kInt4}) {
    int calls = 0;
    Conversion conversion(recipe);
    Convert(conversion.options, [&](const std::string&, double) { ++calls; });
    fs::remove(conversion.options.output);
    for (int last = 1; last <= calls; ++last) {
      int call = 0;
      CHECK_THROWS_AS(Convert(conversion.options,
                              [&](const std::string&, double) {
                                if (++call == last) throw std::out_of_range("cancelled");
                              }),
                      std::out_of_range);
      CHECK(call == last);
      CHECK(conversion.FileCount() == 0);
    }
  }
}

}  // namespace
}  // namespace vitrine
