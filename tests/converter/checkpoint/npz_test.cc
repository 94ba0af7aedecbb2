// SPDX-License-Identifier: Apache-2.0
// Invalid .npy headers in a stored archive.
#include <zlib.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "tests/converter/checkpoint/files.h"

namespace vitrine::checkpoint {
namespace {

using namespace std::string_literals;
using Catch::Matchers::ContainsSubstring;

// A zip archive of one stored entry, `name`.
std::string Zip(const std::string& name, const std::string& content, int method = 0, uint64_t claimed = 0) {
  const uint64_t crc = crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size());
  const uint64_t inflated = claimed != 0 ? claimed : content.size();
  const std::string common = LittleEndian(20, 2) + LittleEndian(0, 2) + LittleEndian(method, 2) +
                             LittleEndian(0, 4) + LittleEndian(crc, 4) + LittleEndian(content.size(), 4) +
                             LittleEndian(inflated, 4) + LittleEndian(name.size(), 2) + LittleEndian(0, 2);
  const std::string local = "PK\x03\x04" + common + name + content;
  const std::string central = "PK\x01\x02" + LittleEndian(20, 2) + common + LittleEndian(0, 14) + name;
  return local + central + "PK\x05\x06" + LittleEndian(0, 4) + LittleEndian(1, 2) + LittleEndian(1, 2) +
         LittleEndian(central.size(), 4) + LittleEndian(local.size(), 4) + LittleEndian(0, 2);
}

std::string Npy(const std::string& header, size_t data_bytes, char major = 1) {
  return "\x93NUMPY"s + major + '\0' + LittleEndian(header.size(), major == 1 ? 2 : 4) + header +
         std::string(data_bytes, '\0');
}

TEST_CASE("A damaged array is refused with the reason") {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  const std::pair<std::string, const char*> cases[] = {
      {Npy(good, 8), ""},
      {Npy(good, 8, 2), ""},
      {Npy(good, 7), "x.npz: a is F32 [2], but holds 7 bytes"},
      {Npy(good, 8, 4), "a is not a .npy file"},
      {"\x93NUMPY", "a is not a .npy file"},
      {"", "a is not a .npy file"},
      {Npy(good, 8).substr(0, 40), "a is cut short"},
      {Npy("{'descr': '<f4', 'fortran_order': False}", 8), "it has no 'shape'"},
      {Npy("{'fortran_order': False, 'shape': (2,)}", 8), "it has no 'descr'"},
      {Npy("{'descr': '<f4', 'shape': (2,)}", 8), "it has no 'fortran_order'"},
      {Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2", 8), "a has a damaged shape"},
      {Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (x)", 8), "a has a damaged shape"},
      {Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)", 8), "a is F32 [-2]"},
      {Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)", 8),
       "a has a damaged shape"},
      {Npy("{'descr': '<f4', 'fortran_order': False, 'shape':", 8), "a has a damaged shape"},
      {Npy("{'descr':", 8), "a has a damaged header"},
      {Npy("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", 8), "x.npz holds no tensors"},
  };
  const ScratchFolder folder;
  for (const auto& [content, message] : cases) {
    const std::string error = OpenError(folder.Write("x.npz", Zip("a.npy", content)));
    CHECK_THAT(error, ContainsSubstring(message));
    CHECK(error.empty() == std::string(message).empty());
  }
}

TEST_CASE("An entry that claims to inflate beyond measure is refused before memory is taken") {
  const ScratchFolder folder;
  CHECK_THAT(OpenError(folder.Write("x.npz", Zip("a.npy", "abc", 8, 0xfffffff0))),
             ContainsSubstring("which is too much"));
  CHECK_THAT(OpenError(folder.Write("x.npz", Zip("a.npy", "abc", 8))),
             ContainsSubstring("its decompressed size is wrong"));
  CHECK_THAT(OpenError(folder.Write("x.npz", Zip("a.npy", "abc", 99))),
             ContainsSubstring("compressed by method 99"));
  CHECK_THAT(OpenError(folder.Write("x.npz", Zip("a.npy", "abc", 0, 4))),
             ContainsSubstring("it has two sizes"));
}

}  // namespace
}  // namespace vitrine::checkpoint
