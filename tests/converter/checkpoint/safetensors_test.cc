// SPDX-License-Identifier: Apache-2.0
// Damaged safetensors headers.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "tests/converter/checkpoint/files.h"

namespace vitrine::checkpoint {
namespace {

using Catch::Matchers::ContainsSubstring;

struct Case {
  const char* header;
  const char* message;
};

TEST_CASE("A damaged safetensors header is refused with the reason") {
  const Case cases[] = {
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", ""},
      {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}})",
       "x.safetensors is cut short: tensor a ends at byte 75, the file has 71"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "a is F32 [2], but takes 4 bytes"},
      {R"({"a":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}})", "a has the type F8_E4M3"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "a has damaged data_offsets"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", "a has damaged data_offsets"},
      {R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "a has shape [-2], expected sizes"},
      {R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", "a has shape [2.0], expected sizes"},
      {R"({"a":{"dtype":"F32","data_offsets":[0,8]}})", "a has no shape"},
      {R"({"a":{"shape":[2],"data_offsets":[0,8]}})", "a has no dtype"},
      {R"({"a":7})", "a has no dtype"},
      {R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", "but takes 0 bytes"},
      {R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]}})", "but takes 8 bytes"},
      {R"({"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}})", "but takes 0 bytes"},
      {R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
       "tensors a and b overlap"},
      {R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
       "holds two tensors named a"},
      {R"({"__metadata__":{"format":"pt"}})", "holds no tensors"},
      {R"({"__metadata__":{"format":["pt"]}})", "__metadata__ holds more than strings"},
      {R"([1, 2])", "it is not a JSON object"},
      {R"({"a":)", "it is not a JSON object"},
      {R"({"a":{"b":{"c":{"d":{}}}}})", "nested too deeply"},
  };
  const ScratchFolder folder;
  for (const Case& c : cases) {
    INFO(c.header);
    const std::string error = OpenError(folder.Write("x.safetensors", Safetensors(c.header, 8)));
    CHECK_THAT(error, ContainsSubstring(c.message));
    CHECK(error.empty() == std::string(c.message).empty());
  }
}

TEST_CASE("A safetensors file is refused when its header does not fit into it") {
  const ScratchFolder folder;
  CHECK_THAT(OpenError(folder.Write("x.safetensors", "abc")), ContainsSubstring("cut short"));
  CHECK_THAT(OpenError(folder.Write("x.safetensors", LittleEndian(100, 8) + "{}")),
             ContainsSubstring("its header ends at byte 108, the file has 10"));
  CHECK_THAT(OpenError(folder.Write("x.safetensors", LittleEndian(~0ull, 8) + "{}")),
             ContainsSubstring("its header would have 18446744073709551615 bytes"));
}

TEST_CASE("A safetensors header whose length looks like another file's magic is read") {
  const ScratchFolder folder;
  std::string header = R"({"weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})";
  header.resize('{', ' ');  // its length is the first byte
  const Checkpoint checkpoint = OpenForTest(folder.Write("model.bin", Safetensors(header, 4)));
  CHECK(checkpoint.tensors().contains("weight"));
}

TEST_CASE("A safetensors file that is cut at any byte is refused") {
  const std::string whole = ReadBytes(Fixture("every_type.safetensors"));
  const ScratchFolder folder;
  for (size_t length = 0; length < whole.size(); ++length) {
    INFO(length);
    CHECK(OpenError(folder.Write("x.safetensors", whole.substr(0, length))) != "");
  }
}

TEST_CASE("A name with control characters is quoted in one line") {
  const ScratchFolder folder;
  const std::string error = OpenError(
      folder.Write("x.safetensors",
                   Safetensors(R"({"a\nb\u001b[2J":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})", 8)));
  CHECK_THAT(error, ContainsSubstring("a?b?[2J"));
}

}  // namespace
}  // namespace vitrine::checkpoint
