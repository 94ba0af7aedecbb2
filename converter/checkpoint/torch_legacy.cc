// SPDX-License-Identifier: Apache-2.0
// torch.save's format before PyTorch 1.6, which is still an option: five pickles, then the storages.
//
//   | magic | protocol 1001 | system | the object | [storage keys] | u64 count | elements | u64 count | ...
#include <cstring>
#include <map>

#include "converter/checkpoint/readers.h"
#include "converter/checkpoint/state_dict.h"
#include "converter/checkpoint/torch_tensor.h"
#include "converter/error.h"

namespace vitrine::checkpoint {
namespace {

using Kind = PickleValue::Kind;

// Pickles that follow one another.
class PickleStream {
 public:
  explicit PickleStream(const MappedFile& file) : file_(file), rest_(file.bytes()) {}

  Pickle Next(const char* what) {
    Pickle pickle(rest_, file_.name() + ": its " + what);
    rest_ = rest_.subspan(pickle.bytes_read());
    return pickle;
  }

  std::span<const std::byte> rest() const { return rest_; }

 private:
  const MappedFile& file_;
  std::span<const std::byte> rest_;
};

void CheckHead(PickleStream& stream, const MappedFile& file) {
  const Pickle magic = stream.Next("first pickle");
  constexpr std::string_view kMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
  if (!magic.root().is(Kind::kBytes) || magic.root().text != kMagic) {
    Fail(file.name(),
         " is a Python pickle that torch.save did not write: save the state_dict with torch.save");
  }
  const Pickle protocol = stream.Next("protocol version");
  if (protocol.root().integer != 1001) {
    Fail(file.name(), " has the legacy protocol ", protocol.root().integer, ", expected 1001");
  }
  const Pickle system = stream.Next("system information");
  const PickleValue* little_endian = system.root().Find("little_endian");
  if (little_endian == nullptr || little_endian->integer != 1) {
    Fail(file.name(), " was saved on a big-endian machine, expected little-endian");
  }
}

// Splits `rest` into the storages that `keys` lists in order. Only the object's pickle has the size of an
// element.
std::map<std::string_view, std::span<const std::byte>> CutStorages(std::span<const std::byte> rest,
                                                                   const Pickle& object, const Pickle& keys,
                                                                   const MappedFile& file) {
  std::map<std::string_view, std::string_view> types;
  for (const PickleValue& value : object.values()) {
    if (const auto storage = AsStorage(value)) types[storage->key] = storage->type;
  }
  std::map<std::string_view, std::span<const std::byte>> storages;
  for (const PickleValue* key : keys.root().items) {
    const uint64_t element_bytes = types.contains(key->text) ? StorageElementBytes(types[key->text]) : 0;
    if (element_bytes == 0) Fail(file.name(), " is damaged: storage ", key->text, " is of unknown type");
    uint64_t elements = 0;
    if (rest.size() >= sizeof elements) std::memcpy(&elements, rest.data(), sizeof elements);
    if (rest.size() < sizeof elements || elements > (rest.size() - sizeof elements) / element_bytes) {
      Fail(file.name(), " is cut short: storage ", key->text, " begins at byte ",
           file.bytes().size() - rest.size(), " and has ", elements, " elements of ", element_bytes,
           " bytes, the file has ", file.bytes().size());
    }
    rest = rest.subspan(sizeof elements);
    storages[key->text] = rest.first(elements * element_bytes);
    rest = rest.subspan(elements * element_bytes);
  }
  return storages;
}

}  // namespace

Contents ReadTorchLegacy(const MappedFile& file) {
  PickleStream stream(file);
  CheckHead(stream, file);
  const Pickle object = stream.Next("object");
  const Pickle keys = stream.Next("list of storages");
  const auto storages = CutStorages(stream.rest(), object, keys, file);

  const auto find = [&](const TorchStorage& storage) {
    const auto found = storages.find(storage.key);
    if (found == storages.end()) Fail(file.name(), ": storage ", storage.key, " is missing");
    return found->second;
  };

  Contents contents;
  contents.format = "PyTorch (legacy)";
  for (const auto& [name, value] : FindStateDict(object.root(), file.name(), contents)) {
    contents.tensors.emplace(name, MakeTensor(*value, find, file.name() + ": " + name));
  }
  return contents;
}

}  // namespace vitrine::checkpoint
