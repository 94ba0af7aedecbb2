// SPDX-License-Identifier: Apache-2.0
#include "tests/end_to_end/golden/golden_files.h"

#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <fstream>
#include <vitrine/vitrine.hpp>

#include "tests/support/run.h"

namespace vitrine {
namespace {

// The files are name.recipe.vit and name.recipe.golden, which has counts, then images and outputs in turn.
struct Header {
  uint32_t count, image_bytes, output_values;
};

size_t Top1(std::span<const float> values) {
  return static_cast<size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

bool ClearlyFirst(std::vector<float> values) {
  std::sort(values.rbegin(), values.rend());
  return values.size() < 2 || values[0] - values[1] > 0.05f * (values.front() - values.back());
}

}  // namespace

std::filesystem::path GoldenFolder() { return std::filesystem::path(VITRINE_SOURCE_DIR) / "build/golden"; }

void WriteGolden(const Golden& golden) {
  const std::filesystem::path file = std::filesystem::path(golden.model).replace_extension(".golden");
  const std::filesystem::path part = file.string() + std::to_string(getpid());
  {
    std::ofstream out(part, std::ios::binary);
    const Header header{static_cast<uint32_t>(golden.images.size()),
                        static_cast<uint32_t>(golden.images[0].size()),
                        static_cast<uint32_t>(golden.outputs[0].size())};
    out.write(reinterpret_cast<const char*>(&header), sizeof header);
    for (const auto& image : golden.images)
      out.write(reinterpret_cast<const char*>(image.data()), static_cast<std::streamsize>(image.size()));
    for (const auto& output : golden.outputs)
      out.write(reinterpret_cast<const char*>(output.data()),
                static_cast<std::streamsize>(output.size() * 4));
  }
  std::filesystem::rename(part, file);
}

std::vector<Golden> ReadGoldens() {
  std::vector<Golden> goldens;
  if (!std::filesystem::is_directory(GoldenFolder())) return goldens;
  for (const auto& entry : std::filesystem::directory_iterator(GoldenFolder())) {
    if (entry.path().extension() != ".golden") continue;
    const std::string stem = entry.path().stem().string();  // name.recipe
    const size_t dot = stem.rfind('.');
    Golden golden{stem.substr(0, dot),
                  stem.substr(dot + 1),
                  std::filesystem::path(entry.path()).replace_extension(".vit"),
                  {},
                  {}};
    std::ifstream in(entry.path(), std::ios::binary);
    Header header{};
    in.read(reinterpret_cast<char*>(&header), sizeof header);
    golden.images.assign(header.count, std::vector<uint8_t>(header.image_bytes));
    golden.outputs.assign(header.count, std::vector<float>(header.output_values));
    for (auto& image : golden.images)
      in.read(reinterpret_cast<char*>(image.data()), static_cast<std::streamsize>(image.size()));
    for (auto& output : golden.outputs)
      in.read(reinterpret_cast<char*>(output.data()), static_cast<std::streamsize>(output.size() * 4));
    goldens.push_back(std::move(golden));
  }
  std::sort(goldens.begin(), goldens.end(),
            [](const Golden& a, const Golden& b) { return a.model < b.model; });
  return goldens;
}

void CheckGolden(const Golden& golden) {
  INFO(golden.name << " " << golden.recipe);
  const Result<Model> model = Model::Open(golden.model.c_str());
  INFO(model.status().message());
  REQUIRE(model.ok());
  Result<Session> created = Session::Create(model.value(), {});
  INFO(created.status().message());
  REQUIRE(created.ok());
  Session& session = created.value();
  CHECK(session.SelfTest().ok());
  std::vector<float> expected, all_found;
  for (size_t i = 0; i < golden.images.size(); ++i) {
    REQUIRE(session.input().size() == golden.images[i].size());
    std::memcpy(session.input().data(), golden.images[i].data(), golden.images[i].size());
    REQUIRE(session.Run().ok());
    const std::span<const float> found = session.logits().empty() ? session.embedding() : session.logits();
    expected.insert(expected.end(), golden.outputs[i].begin(), golden.outputs[i].end());
    all_found.insert(all_found.end(), found.begin(), found.end());
    if (!session.logits().empty() && ClearlyFirst(golden.outputs[i]))
      CHECK(Top1(found) == Top1(golden.outputs[i]));
  }
  CHECK(testing::Sqnr(expected, all_found) >= (golden.recipe == "f32" ? 90 : 28));
}

}  // namespace vitrine
