// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fixture.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <vitrine/image.hpp>

#include "converter/family/family.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;
using checkpoint::ReadBytes;
using nlohmann::json;

std::vector<float> ReadFloats(const fs::path& path) {
  const std::string bytes = ReadBytes(path);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

/// Splits the concatenated outputs of `count` images.
std::vector<std::vector<float>> Split(const std::vector<float>& values, size_t count) {
  std::vector<std::vector<float>> parts;
  const ptrdiff_t size = static_cast<ptrdiff_t>(values.size() / count);
  for (auto at = values.begin(); parts.size() < count; at += size) parts.emplace_back(at, at + size);
  return parts;
}

/// Writes a safetensors file; `fill` returns the values of all tensors, concatenated.
fs::path Write(const checkpoint::ScratchFolder& folder, const Shapes& shapes,
               const std::function<std::string(size_t)>& fill) {
  json header = json::object();
  size_t values = 0;
  for (const auto& [name, shape] : shapes) {
    size_t count = 1;
    for (const int64_t dimension : shape) count *= static_cast<size_t>(dimension);
    const size_t first = values * sizeof(float), end = (values + count) * sizeof(float);
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {first, end}}};
    values += count;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // as the safetensors library does
  return folder.Write("model.safetensors", checkpoint::LittleEndian(text.size(), 8) + text + fill(values));
}

std::vector<uint8_t> ReadPixels(const fs::path& path) {
  if (path.extension() == ".bin") {
    const std::string bytes = ReadBytes(path);
    return {bytes.begin(), bytes.end()};
  }
  Result<Image> image = Image::Load(path.c_str());
  if (!image.ok()) Fail(image.status().message());
  const size_t bytes = size_t{3} * image.value().width() * image.value().height();
  return {image.value().pixels(), image.value().pixels() + bytes};
}

/// Sets the options that no file of the folder replaces, as a user would.
void GiveFlags(const fs::path& folder, const json& preprocess, ConversionInputs* inputs) {
  if (fs::exists(folder / "preprocessor_config.json")) return;
  inputs->mean = preprocess["mean"].get<std::vector<float>>();
  inputs->deviation = preprocess["std"].get<std::vector<float>>();
  inputs->crop_fraction = 1;
}

ModelFixture ReadCommitted(const fs::path& folder) {
  const json meta = json::parse(ReadBytes(folder / "meta.json"));
  ModelFixture fixture{folder.filename().string(), {}, {}, {}, 0};
  fixture.inputs.checkpoint = folder / meta["checkpoint"].get<std::string>();
  GiveFlags(folder, meta, &fixture.inputs);
  if (meta.contains("image_size")) fixture.inputs.image_size = {meta["image_size"][0], meta["image_size"][1]};
  for (const char* image : {"image.png", "second.png", "image.bin", "second.bin"}) {
    if (fs::exists(folder / image)) fixture.images.push_back(ReadPixels(folder / image));
  }
  fixture.outputs = Split(ReadFloats(folder / "output.bin"), fixture.images.size());
  fixture.merged_tokens = meta.value("merge_tokens", 0);
  return fixture;
}

/// Returns the fixtures in the folders of `root`, sorted by name.
std::vector<ModelFixture> ReadAll(const fs::path& root) {
  std::vector<ModelFixture> fixtures;
  for (const auto& entry : fs::directory_iterator(root)) fixtures.push_back(ReadCommitted(entry.path()));
  std::sort(fixtures.begin(), fixtures.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return fixtures;
}

ModelFixture ReadWide(const fs::path& folder, const json& meta) {
  ModelFixture fixture{folder.filename().string(), {}, {}, {}, 0};
  fixture.inputs.checkpoint = folder / meta["checkpoint"]["file"].get<std::string>();
  GiveFlags(folder, meta["preprocess"], &fixture.inputs);
  if (fixture.inputs.mean) fixture.inputs.image_size = {meta["input_hw"][0], meta["input_hw"][1]};
  fixture.images = {ReadPixels(folder / "img0.png"), ReadPixels(folder / "img1.png")};
  for (const char* golden : {"logits.bin", "image_embeds.bin", "pooler_output.bin", "pooled.bin"}) {
    if (!fs::exists(folder / golden)) continue;
    fixture.outputs = Split(ReadFloats(folder / golden), 2);
    break;
  }
  return fixture;
}

}  // namespace

std::vector<ModelFixture> CommittedFixtures() { return ReadAll(VITRINE_SOURCE_DIR "/tests/fixtures/vit"); }

std::vector<ModelFixture> MergedFixtures() { return ReadAll(VITRINE_SOURCE_DIR "/tests/fixtures/merged"); }

std::vector<ModelFixture> WideFixtures() {
  const char* shared = std::getenv("VITRINE_SHARED");
  const fs::path root = fs::path(shared ? shared : VITRINE_SOURCE_DIR "/../shared") / "fixtures";
  std::vector<ModelFixture> fixtures;
  if (!fs::exists(root / "index.json")) return fixtures;
  for (const json& entry : json::parse(ReadBytes(root / "index.json"))) {
    const fs::path folder = root / entry["name"].get<std::string>();
    const json meta = json::parse(ReadBytes(folder / "meta.json"));
    fixtures.push_back(ReadWide(folder, meta));
  }
  return fixtures;
}

Shapes TinyTimmShapes() {
  Shapes shapes = {
      {"cls_token", {1, 1, 8}},       {"pos_embed", {1, 5, 8}}, {"patch_embed.proj.weight", {8, 3, 4, 4}},
      {"patch_embed.proj.bias", {8}}, {"norm.weight", {8}},     {"norm.bias", {8}},
      {"head.weight", {5, 8}},        {"head.bias", {5}}};
  for (int block = 0; block < 2; ++block) {
    const std::string prefix = "blocks." + std::to_string(block) + ".";
    const auto linear = [&](const char* name, int64_t outputs, int64_t inputs) {
      shapes[prefix + name + ".weight"] = {outputs, inputs};
      shapes[prefix + name + ".bias"] = {outputs};
    };
    for (const char* norm : {"norm1", "norm2"}) {
      shapes[prefix + norm + ".weight"] = shapes[prefix + norm + ".bias"] = {8};
    }
    linear("attn.qkv", 24, 8);
    linear("attn.proj", 8, 8);
    linear("mlp.fc1", 32, 8);
    linear("mlp.fc2", 8, 32);
  }
  return shapes;
}

Shapes ShapesOf(const ConversionInputs& inputs) {
  const auto checkpoint = OpenCheckpoint(inputs.checkpoint);
  Shapes shapes;
  for (const auto& [name, tensor] : checkpoint.tensors()) shapes[name] = tensor.shape;
  return shapes;
}

fs::path WriteZeros(const checkpoint::ScratchFolder& folder, const Shapes& shapes) {
  return Write(folder, shapes, [](size_t count) { return std::string(count * sizeof(float), '\0'); });
}

fs::path WriteRandom(const checkpoint::ScratchFolder& folder, const Shapes& shapes) {
  return Write(folder, shapes, [](size_t count) {
    std::mt19937 generator(1);
    std::normal_distribution<float> normal(0, 0.2f);
    std::vector<float> values(count);
    for (float& value : values) value = normal(generator);
    return std::string(reinterpret_cast<const char*>(values.data()), count * sizeof(float));
  });
}

std::string RefusalOf(const Shapes& shapes, ConversionInputs inputs) {
  const checkpoint::ScratchFolder folder;
  inputs.checkpoint = WriteZeros(folder, shapes);
  return RefusalOf(inputs);
}

std::string RefusalOf(const ConversionInputs& inputs) {
  try {
    const auto checkpoint = OpenCheckpoint(inputs.checkpoint);
    const Vit vit = MakeVit(checkpoint, inputs);
    vit.load_embedding();
    for (int block = 0; block < vit.config.depth; ++block) vit.load_block(block);
    vit.load_head();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace vitrine
