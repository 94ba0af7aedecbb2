// SPDX-License-Identifier: Apache-2.0
// Truncated and modified files, and tensors outside of their storage. Each must end in an Error or in tensors
// that can be read; the sanitizers check the rest.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <random>

#include "tests/converter/checkpoint/files.h"

namespace vitrine::checkpoint {
namespace {

using namespace std::string_literals;
using Catch::Matchers::ContainsSubstring;

constexpr const char* kVictims[] = {
    "every_type.safetensors", "plain.pth",   "deit.pth", "legacy.pth", "stored.npz",
    "deflated.pth",           "deflated.npz"};

// Opens the file and reads all tensors. Any exception other than Error fails the test.
void OpenAndRead(const std::filesystem::path& path) {
  try {
    const Checkpoint checkpoint = OpenForTest(path);
    for (const auto& [name, tensor] : checkpoint.tensors()) {
      if (tensor.dtype > DType::kF64) continue;
      std::vector<float> values(tensor.elements());
      ReadF32(tensor, values);
    }
  } catch (const Error& error) {
    CHECK(std::string_view(error.what()).find('\n') == std::string_view::npos);
  }
}

TEST_CASE("A checkpoint that is cut at any byte never crashes") {
  const ScratchFolder folder;
  for (const char* victim : kVictims) {
    const std::string whole = ReadBytes(Fixture(victim));
    for (size_t length = 0; length < whole.size(); ++length) {
      OpenAndRead(folder.Write(std::filesystem::path(victim).filename(), whole.substr(0, length)));
    }
  }
}

TEST_CASE("A checkpoint with changed bytes never crashes") {
  const ScratchFolder folder;
  std::mt19937 random(20240607);
  for (const char* victim : kVictims) {
    const std::string whole = ReadBytes(Fixture(victim));
    for (int i = 0; i < 2000; ++i) {
      std::string damaged = whole;
      for (int flips = 1 + static_cast<int>(random() % 4); flips > 0; --flips) {
        damaged[random() % damaged.size()] = static_cast<char>(random());
      }
      OpenAndRead(folder.Write(victim, damaged));
    }
  }
}

std::string Int(int64_t value) { return "\x8a\x08" + LittleEndian(static_cast<uint64_t>(value), 8); }

std::string Tuple(const std::vector<int64_t>& values) {
  std::string code = "(";
  for (const int64_t value : values) code += Int(value);
  return code + "t";
}

// A legacy torch file of one tensor, "w", which is a view of a storage of six floats.
std::string Legacy(int64_t offset, const std::vector<int64_t>& shape, const std::vector<int64_t>& strides) {
  const std::string text = "X\x01\0\0\0"s;
  const std::string storage = "(X\x07\0\0\0storagectorch\nFloatStorage\n"s + text + "kX\x03\0\0\0cpuK\x06tQ"s;
  const std::string tensor = "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + Int(offset) + Tuple(shape) +
                             Tuple(strides) + "\x89N" + "tR";
  return "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19."s + "\x80\x02M\xe9\x03."s +
         "\x80\x02}X\x0d\0\0\0little_endian\x88s."s + "\x80\x02}" + text + "w" + tensor + "s." + "\x80\x02]" +
         text + "ka." + LittleEndian(6, 8) + std::string(24, '\x3f');
}

TEST_CASE("A view that reaches outside of its storage is refused") {
  constexpr int64_t kHuge = int64_t{1} << 62;
  const std::pair<std::string, const char*> cases[] = {
      {Legacy(0, {2, 3}, {3, 1}), ""},
      {Legacy(1, {2, 2}, {3, 1}), ""},
      {Legacy(6, {0}, {1}), ""},
      {Legacy(0, {4, 6}, {0, 1}), ""},
      {Legacy(1, {2, 3}, {3, 1}),
       "w reaches outside of its storage of 6 elements: it is [2, 3] with strides [3, 1] at 1"},
      {Legacy(-1, {2}, {1}), "w is damaged"},
      {Legacy(kHuge, {2}, {1}), "w reaches outside"},
      {Legacy(0, {2}, {kHuge}), "w reaches outside"},
      {Legacy(0, {4}, {kHuge}), "w reaches outside"},
      {Legacy(0, {2}, {-1}), "w reaches outside"},
      {Legacy(0, {-2}, {1}), "w is damaged"},
      {Legacy(0, {2, 3}, {1}), "w is damaged"},
      {Legacy(0, {kHuge, 4}, {0, 0}), "w is damaged"},
      {Legacy(0, {1 << 30, 1}, {0, 1}), "w is [1073741824, 1], expanded from a storage of 6 elements"},
      {Legacy(0, std::vector<int64_t>(20, 1), std::vector<int64_t>(20, 1)),
       "its size is not a tuple of numbers"},
  };
  const ScratchFolder folder;
  for (const auto& [content, message] : cases) {
    const std::string error = OpenError(folder.Write("x.pth", content));
    CHECK_THAT(error, ContainsSubstring(message));
    CHECK(error.empty() == std::string(message).empty());
  }
}

}  // namespace
}  // namespace vitrine::checkpoint
