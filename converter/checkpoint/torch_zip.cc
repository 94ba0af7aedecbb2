// SPDX-License-Identifier: Apache-2.0
// torch.save's format since PyTorch 1.6: a zip archive with one folder. It holds a pickle, data.pkl, which
// refers to storages, and the storages data/0, data/1, ..., uncompressed.
#include "converter/checkpoint/readers.h"
#include "converter/checkpoint/state_dict.h"
#include "converter/checkpoint/torch_tensor.h"
#include "converter/checkpoint/zip_archive.h"
#include "converter/error.h"

namespace vitrine::checkpoint {
namespace {

// Returns the folder's name, which is the file's name when it was saved: "model/".
std::string FindFolder(const MappedFile& file, const ZipArchive& archive) {
  constexpr std::string_view kPickle = "data.pkl";
  for (const auto& [name, entry] : archive.entries()) {
    if (name == kPickle || name.ends_with("/data.pkl")) return name.substr(0, name.size() - kPickle.size());
  }
  Fail(file.name(), " is a zip archive without data.pkl, not a PyTorch checkpoint");
}

void RefuseOtherKinds(const MappedFile& file, ZipArchive& archive, const std::string& folder) {
  for (const auto& [name, entry] : archive.entries()) {
    if (name == folder + "constants.pkl" || name.starts_with(folder + "code/")) {
      Fail(file.name(), " is a TorchScript archive; save the state_dict instead");
    }
  }
  if (!archive.entries().contains(folder + "byteorder")) return;
  const std::span<const std::byte> order = archive.Read(folder + "byteorder");
  const std::string_view text(reinterpret_cast<const char*>(order.data()), order.size());
  if (text != "little") {
    Fail(file.name(), " was saved on a machine of byte order '", text, "', expected 'little'");
  }
}

}  // namespace

Contents ReadTorchZip(const MappedFile& file, ZipArchive& archive) {
  const std::string folder = FindFolder(file, archive);
  RefuseOtherKinds(file, archive, folder);

  const auto find = [&](const TorchStorage& storage) {
    const std::string name = folder + "data/" + std::string(storage.key);
    if (!archive.entries().contains(name)) Fail(file.name(), ": storage ", name, " is missing");
    const std::span<const std::byte> bytes = archive.Read(name);
    const uint64_t element_bytes = StorageElementBytes(storage.type);
    if (element_bytes == 0 || static_cast<uint64_t>(storage.elements) > bytes.size() / element_bytes) {
      Fail(file.name(), ": storage ", name, " has ", bytes.size(), " bytes, expected ", storage.elements,
           " x ", storage.type);
    }
    return bytes;
  };

  Contents contents;
  contents.format = "PyTorch";
  const Pickle pickle(archive.Read(folder + "data.pkl"), file.name() + ": data.pkl");
  for (const auto& [name, value] : FindStateDict(pickle.root(), file.name(), contents)) {
    contents.tensors.emplace(name, MakeTensor(*value, find, file.name() + ": " + name));
  }
  contents.inflated = archive.TakeInflated();
  return contents;
}

}  // namespace vitrine::checkpoint
