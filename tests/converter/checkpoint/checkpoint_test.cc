// SPDX-License-Identifier: Apache-2.0
// Compares every committed checkpoint with what its own library reads from it (fixtures/make_checkpoints.py).
#include "converter/checkpoint/checkpoint.h"

#include <algorithm>
#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <utility>

#include "tests/converter/checkpoint/files.h"

namespace vitrine::checkpoint {
namespace {

using Catch::Matchers::ContainsSubstring;
using nlohmann::json;

std::vector<float> Values(const Tensor& tensor) {
  std::vector<float> values(tensor.elements());
  ReadF32(tensor, values);
  return values;
}

void CheckTensor(const Tensor& tensor, const json& expected) {
  CHECK(Name(tensor.dtype) == expected["dtype"].get<std::string>());
  CHECK(tensor.shape == expected["shape"].get<std::vector<int64_t>>());
  if (expected["values"].is_null()) return;
  const auto values = expected["values"].get<std::vector<float>>();
  CHECK(std::ranges::equal(
      Values(tensor), values, {}, [](float f) { return std::bit_cast<uint32_t>(f); },
      [](float f) { return std::bit_cast<uint32_t>(f); }));
}

void CheckCheckpoint(const Checkpoint& checkpoint, const json& expected) {
  CHECK(checkpoint.format() == expected["format"].get<std::string>());
  CHECK(checkpoint.tensors().size() == expected["tensors"].size());
  for (const auto& [name, tensor] : expected["tensors"].items()) {
    INFO(name);
    REQUIRE(checkpoint.tensors().contains(name));
    CheckTensor(checkpoint.tensors().at(name), tensor);
  }
  if (expected.contains("notes")) {
    CHECK(checkpoint.notes() == expected["notes"].get<std::vector<std::string>>());
  }
  if (expected.contains("metadata")) CHECK(checkpoint.metadata() == expected["metadata"]);
  if (expected.contains("metadata_has")) {
    for (const auto& [key, value] : expected["metadata_has"].items()) {
      CHECK(checkpoint.metadata()[key] == value);
    }
  }
}

TEST_CASE("Every container has the tensors that its own library reads") {
  const json expected = json::parse(ReadBytes(Fixture("expected.json")));
  REQUIRE(expected.size() >= 29);
  for (const auto& [name, entry] : expected.items()) {
    INFO(name);
    CheckCheckpoint(OpenForTest(Fixture(name)), entry);
  }
}

TEST_CASE("Entries of a checkpoint that are not tensors become metadata") {
  const json metadata = OpenForTest(Fixture("deit.pth")).metadata();
  CHECK(metadata["args"]["model"] == "deit_tiny");
  CHECK(metadata["args"]["lr"] == 5e-4);
  CHECK(metadata["args"]["milestones"] == json({1, 2}));
  CHECK(metadata["optimizer"]["param_groups"][0]["betas"] == json({0.9, 0.999}));
  CHECK(metadata["optimizer"]["state"]["0"]["exp_avg"].is_null());
  CHECK(!metadata.contains("model"));
}

TEST_CASE("A pickle that would run a command runs nothing") {
  CHECK(OpenForTest(Fixture("hostile.pth")).metadata()["payload"] == "posix.system");
  CHECK(OpenForTest(Fixture("hostile_legacy.pth")).metadata()["payload"] == "posix.system");
  CHECK_THAT(OpenError(Fixture("hostile_plain.pkl")), ContainsSubstring("that torch.save did not write"));
  CHECK(!std::filesystem::exists("VITRINE_RAN_A_PICKLE"));
}

TEST_CASE("A file without plain float weights is refused with the reason") {
  const std::pair<const char*, const char*> cases[] = {
      {"quantized.pth",
       "quantized.pth: weight is a quantized tensor; save the state_dict of the plain float model"},
      {"sparse.pth", "sparse.pth: weight is a sparse tensor"},
      {"complex.pth", "complex.pth: weight holds complex64 values, which are not supported"},
      {"float8.pth", "float8.pth: weight holds float8_e4m3fn values, which are not supported"},
      {"no_tensors.pth", "no_tensors.pth holds no state dict: its entries are epoch, args"},
      {"tensor_alone.pth", "tensor_alone.pth holds no state dict: expected a dict of tensors"},
      {"torchscript.pt", "torchscript.pt is a TorchScript archive; save the state_dict instead"},
      {"document.docx", "document.docx is a zip archive without data.pkl, not a PyTorch checkpoint"},
      {"big_endian.pth", "big_endian.pth was saved on a machine of byte order 'big', expected 'little'"},
      {"short_storage.pth", "storage plain/data/1 has 8 bytes, expected 48 x FloatStorage"},
  };
  for (const auto& [name, message] : cases) CHECK_THAT(OpenError(Fixture(name)), ContainsSubstring(message));
}

TEST_CASE("The digest is that of sha256sum, or of the concatenated shards") {
  const ScratchFolder folder;
  const std::string header = R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})";
  const Checkpoint file = OpenForTest(folder.Write("a.safetensors", Safetensors(header, 3)));
  CHECK(file.Sha256() == "9fb7cade50123f28c6cbdd60bec99728b3db67b1150d0159fbe85e5cc159dd1e");
  CHECK(file.file_bytes() == 64);
  const Checkpoint shards = OpenForTest(Fixture("sharded"));
  CHECK(shards.Sha256() == "7f928d3624b0f7957ccb78bcf9f6e56257c0e9ef2fb037afbf1ea3b227efb125");
  CHECK(shards.files().size() == 2);
  CHECK(shards.files()[0] == Fixture("sharded/model-00001-of-00002.safetensors"));
}

TEST_CASE("A released tensor can be read again") {
  const Checkpoint checkpoint = OpenForTest(Fixture("plain.pth"));
  const Tensor& tensor = checkpoint.tensors().at("patch_embed.proj.weight");
  const std::vector<float> before = Values(tensor);
  checkpoint.Release(tensor);
  CHECK(Values(tensor) == before);
  const Checkpoint inflated = OpenForTest(Fixture("deflated.npz"));
  const std::vector<float> owned = Values(inflated.tensors().at("kernel"));
  inflated.Release(inflated.tensors().at("kernel"));
  CHECK(Values(inflated.tensors().at("kernel")) == owned);
}

TEST_CASE("A moved checkpoint keeps its tensors") {
  Checkpoint first = OpenForTest(Fixture("deflated.pth"));
  const Checkpoint second = std::move(first);
  CHECK(Values(second.tensors().at("head.bias"))[0] == -1.5f);
}

TEST_CASE("An index is refused when its shards do not match it") {
  const ScratchFolder folder;
  const auto index = [&](const char* map) {
    return folder.Write("model.safetensors.index.json", std::string(R"({"weight_map":)") + map + "}");
  };
  folder.Write("s.safetensors", Safetensors(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})", 3));
  folder.Write("t.safetensors", Safetensors(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})", 3));
  CHECK(OpenError(index(R"({"a":"s.safetensors"})")) == "");
  CHECK_THAT(OpenError(index(R"({"a":"u.safetensors"})")),
             ContainsSubstring("u.safetensors, which does not exist"));
  CHECK_THAT(OpenError(index(R"({"b":"s.safetensors"})")),
             ContainsSubstring("s.safetensors does not have the tensor b"));
  CHECK_THAT(OpenError(index(R"({"a":"s.safetensors","b":"t.safetensors"})")),
             ContainsSubstring("in another shard"));
  CHECK_THAT(OpenError(index(R"({"a":"../s.safetensors"})")),
             ContainsSubstring("not a file name in the same folder"));
  CHECK_THAT(OpenError(index(R"({"a":3})")), ContainsSubstring("is not a file name"));
  CHECK_THAT(OpenError(index("[]")), ContainsSubstring("expected a JSON object with a weight_map"));
  CHECK_THAT(OpenError(folder.Write("x.index.json", "{")), ContainsSubstring("expected a JSON object"));
}

}  // namespace
}  // namespace vitrine::checkpoint
