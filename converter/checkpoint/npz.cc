// SPDX-License-Identifier: Apache-2.0
// NumPy's .npz: a zip archive of .npy files, each
//   | "\x93NUMPY" | major, minor | u16 or u32 header bytes | header | data |
// with a header like {'descr': '<f4', 'fortran_order': False, 'shape': (16, 3)}: "Format version" 1 to 3
// of numpy.lib.format.
#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "converter/checkpoint/readers.h"
#include "converter/checkpoint/zip_archive.h"
#include "converter/error.h"

namespace vitrine::checkpoint {
namespace {

struct NpyType {
  std::string_view descr;
  DType dtype;
};

// NumPy has no bfloat16: JAX programs save theirs as two bytes of void.
constexpr NpyType kTypes[] = {{"<f4", DType::kF32},  {"<f2", DType::kF16},  {"<f8", DType::kF64},
                              {"|V2", DType::kBF16}, {"<V2", DType::kBF16}, {"|i1", DType::kI8},
                              {"|u1", DType::kU8},   {"<i2", DType::kI16},  {"<i4", DType::kI32},
                              {"<i8", DType::kI64},  {"|b1", DType::kBool}};

std::optional<DType> FindType(std::string_view descr) {
  for (const NpyType& type : kTypes) {
    if (type.descr == descr) return type.dtype;
  }
  return std::nullopt;
}

// Returns the part of the header after `key`, without leading blanks.
std::string_view ValueOf(std::string_view header, std::string_view key, const std::string& where) {
  const size_t at = header.find(key);
  if (at == header.npos) Fail(where, " has a damaged header: it has no ", key);
  header.remove_prefix(at + key.size());
  header.remove_prefix(std::min(header.find_first_not_of(": "), header.size()));
  return header;
}

// Returns the type, a quoted string. A structured array has a list; then the list's first character is
// returned.
std::string_view ParseDescr(std::string_view header, const std::string& where) {
  const std::string_view value = ValueOf(header, "'descr'", where);
  if (value.empty()) Fail(where, " has a damaged header: it ends early");
  if (!value.starts_with('\'')) return value.substr(0, 1);
  return value.substr(1, value.substr(1).find('\''));
}

// "(16, 16, 3, 64)", "(64,)", "()"; Python 2 may write an L after a number.
std::vector<int64_t> ParseShape(std::string_view header, const std::string& where) {
  const std::string_view value = ValueOf(header, "'shape'", where);
  const char* at = value.data() + 1;
  const char* const end = value.data() + std::min(value.find(')'), value.size());
  if (!value.starts_with('(') || end == value.data() + value.size()) Fail(where, " has a damaged shape");
  std::vector<int64_t> shape;
  while ((at = std::find_if_not(at, end, [](char c) { return c == ' ' || c == ',' || c == 'L'; })) != end) {
    const auto [next, error] = std::from_chars(at, end, shape.emplace_back());
    if (error != std::errc() || shape.size() > 16) Fail(where, " has a damaged shape");
    at = next;
  }
  return shape;
}

// Removes the header from the front of `bytes` and returns its text.
std::string_view TakeHeader(std::span<const std::byte>& bytes, const std::string& where) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  constexpr std::string_view kMagic = "\x93NUMPY";
  const size_t major = text.size() > kMagic.size() ? text[kMagic.size()] : 0;
  const size_t length_bytes = major == 1 ? 2 : 4;
  const size_t begin = kMagic.size() + 2 + length_bytes;
  if (!text.starts_with(kMagic) || major < 1 || major > 3 || text.size() < begin) {
    Fail(where, " is not a .npy file");
  }
  uint32_t length = 0;
  std::memcpy(&length, text.data() + kMagic.size() + 2, length_bytes);
  if (length > text.size() - begin) Fail(where, " is cut short");
  bytes = bytes.subspan(begin + length);
  return text.substr(begin, length);
}

bool IsFortranOrder(std::string_view header, const std::string& where) {
  return ValueOf(header, "'fortran_order'", where).starts_with("True");
}

std::vector<int64_t> Reversed(std::vector<int64_t> values) {
  std::reverse(values.begin(), values.end());
  return values;
}

Tensor MakeTensor(DType dtype, std::string_view header, std::span<const std::byte> data,
                  const std::string& where) {
  Tensor tensor{dtype, ParseShape(header, where), {}, data};
  const auto elements = CountElements(tensor.shape);
  if (!elements || static_cast<uint64_t>(*elements) > data.size() / ElementBytes(dtype)) {
    Fail(where, " is ", Name(dtype), " ", ShapeText(tensor.shape), ", but holds ", data.size(), " bytes");
  }
  tensor.bytes = data.first(static_cast<size_t>(*elements) * ElementBytes(dtype));
  // Column-major: the strides of the reversed shape, reversed.
  tensor.strides = IsFortranOrder(header, where) ? Reversed(RowMajorStrides(Reversed(tensor.shape)))
                                                 : RowMajorStrides(tensor.shape);
  return tensor;
}

}  // namespace

Contents ReadNpz(const MappedFile& file, ZipArchive& archive) {
  Contents contents;
  contents.format = "NumPy";
  for (const auto& [entry_name, entry] : archive.entries()) {
    constexpr std::string_view kSuffix = ".npy";
    if (!entry_name.ends_with(kSuffix)) continue;
    const std::string name = entry_name.substr(0, entry_name.size() - kSuffix.size());
    const std::string where = file.name() + ": " + name;
    std::span<const std::byte> data = archive.Read(entry_name);
    const std::string_view header = TakeHeader(data, where);
    const std::string_view descr = ParseDescr(header, where);
    if (const auto dtype = FindType(descr)) {
      contents.tensors.emplace(name, MakeTensor(*dtype, header, data, where));
    } else {
      contents.notes.push_back("left out " + Utf8(name) + ", whose type is " + Utf8(descr));
    }
  }
  contents.inflated = archive.TakeInflated();
  return contents;
}

}  // namespace vitrine::checkpoint
