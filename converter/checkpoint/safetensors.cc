// SPDX-License-Identifier: Apache-2.0
// safetensors:  | u64 n | n bytes of JSON: name -> {dtype, shape, data_offsets: [begin, end)} | data |
// Offsets count from the start of the data. github.com/huggingface/safetensors, "Format".
#include <algorithm>
#include <cstring>
#include <set>
#include <string_view>

#include "converter/checkpoint/readers.h"
#include "converter/error.h"

namespace vitrine::checkpoint {
namespace {

using nlohmann::json;

// A header is about 100 bytes a tensor; the format allows 100 MB, which as parsed JSON would be gigabytes.
constexpr uint64_t kLargestHeader = 16 << 20;

DType ParseDType(const std::string& text, const std::string& where) {
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16, DType::kF64, DType::kI8, DType::kU8,
                            DType::kI16, DType::kI32, DType::kI64, DType::kBool}) {
    if (text == Name(dtype)) return dtype;
  }
  Fail(where, " has the type ", text, ", which is not supported");
}

// Parses the header, which must be one flat object of objects with different names: of two equal names,
// nlohmann's parser would keep the last without an error.
json ParseHeader(std::string_view text, const std::string& file) {
  std::set<std::string> names;
  const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > 3) Fail(file, " has a damaged header: its JSON is nested too deeply");
    if (event == json::parse_event_t::key && depth == 1 && !names.insert(parsed.get<std::string>()).second) {
      Fail(file, " holds two tensors named ", parsed.get<std::string>());
    }
    return true;
  };
  json header = json::parse(text, check, /*allow_exceptions=*/false);
  if (!header.is_object()) Fail(file, " has a damaged header: it is not a JSON object");
  return header;
}

std::vector<uint64_t> Numbers(const json& entry, const char* field, const std::string& where) {
  std::vector<uint64_t> numbers;
  const auto found = entry.find(field);
  if (found == entry.end() || !found->is_array()) Fail(where, " has no ", field);
  for (const json& number : *found) {
    if (!number.is_number_unsigned()) Fail(where, " has ", field, " ", found->dump(), ", expected sizes");
    numbers.push_back(number.get<uint64_t>());
  }
  return numbers;
}

Tensor ParseTensor(const json& entry, std::span<const std::byte> data, const MappedFile& file,
                   const std::string& where) {
  if (!entry.is_object() || !entry.contains("dtype") || !entry["dtype"].is_string()) {
    Fail(where, " has no dtype");
  }
  Tensor tensor;
  tensor.dtype = ParseDType(entry["dtype"].get<std::string>(), where);
  for (const uint64_t dimension : Numbers(entry, "shape", where)) {
    tensor.shape.push_back(static_cast<int64_t>(dimension));
  }
  const std::vector<uint64_t> offsets = Numbers(entry, "data_offsets", where);
  if (offsets.size() != 2 || offsets[0] > offsets[1]) Fail(where, " has damaged data_offsets");

  const auto elements = CountElements(tensor.shape);
  int64_t bytes = 0;
  if (!elements || __builtin_mul_overflow(*elements, int64_t(ElementBytes(tensor.dtype)), &bytes) ||
      static_cast<uint64_t>(bytes) != offsets[1] - offsets[0]) {
    Fail(where, " is ", Name(tensor.dtype), " ", ShapeText(tensor.shape), ", but takes ",
         offsets[1] - offsets[0], " bytes");
  }
  if (offsets[1] > data.size()) {
    const uint64_t data_begin = file.bytes().size() - data.size();
    Fail(file.name(), " is cut short: tensor ", where.substr(file.name().size() + 2), " ends at byte ",
         data_begin + offsets[1], ", the file has ", file.bytes().size());
  }
  tensor.strides = RowMajorStrides(tensor.shape);
  tensor.bytes = data.subspan(offsets[0], offsets[1] - offsets[0]);
  return tensor;
}

// Tensors must not share bytes: the safetensors library writes no such file.
void CheckOverlap(const std::map<std::string, Tensor>& tensors, const std::string& file) {
  std::vector<const std::pair<const std::string, Tensor>*> order;
  for (const auto& entry : tensors) {
    if (!entry.second.bytes.empty()) order.push_back(&entry);
  }
  const auto begin = [](const auto* entry) { return entry->second.bytes.data(); };
  std::sort(order.begin(), order.end(), [&](auto* a, auto* b) { return begin(a) < begin(b); });
  for (size_t i = 1; i < order.size(); ++i) {
    if (begin(order[i - 1]) + order[i - 1]->second.bytes.size() > begin(order[i])) {
      Fail(file, ": tensors ", order[i - 1]->first, " and ", order[i]->first, " overlap");
    }
  }
}

json CheckMetadata(json metadata, const std::string& file) {
  if (!metadata.is_object()) Fail(file, " has a damaged header: __metadata__ is not an object");
  for (const json& value : metadata) {
    if (!value.is_string()) Fail(file, " has a damaged header: __metadata__ holds more than strings");
  }
  return metadata;
}

}  // namespace

Contents ReadSafetensors(const MappedFile& file) {
  const std::span<const std::byte> bytes = file.bytes();
  uint64_t header_bytes = 0;
  if (bytes.size() < sizeof header_bytes) {
    Fail(file.name(), " is cut short: expected at least 8 bytes, found ", bytes.size());
  }
  std::memcpy(&header_bytes, bytes.data(), sizeof header_bytes);
  if (header_bytes > kLargestHeader) {
    Fail(file.name(), " is not a safetensors file: its header would have ", header_bytes, " bytes");
  }
  if (header_bytes > bytes.size() - 8) {
    Fail(file.name(), " is cut short: its header ends at byte ", 8 + header_bytes, ", the file has ",
         bytes.size());
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + 8, header_bytes);
  const std::span<const std::byte> data = bytes.subspan(8 + header_bytes);

  Contents contents;
  contents.format = "safetensors";
  json header = ParseHeader(text, file.name());
  for (auto& [name, entry] : header.items()) {
    if (name == "__metadata__") {
      contents.metadata = CheckMetadata(std::move(entry), file.name());
    } else {
      contents.tensors.emplace(name, ParseTensor(entry, data, file, file.name() + ": " + name));
    }
  }
  CheckOverlap(contents.tensors, file.name());
  return contents;
}

}  // namespace vitrine::checkpoint
