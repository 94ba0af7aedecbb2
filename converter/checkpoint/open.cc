// SPDX-License-Identifier: Apache-2.0
// From a path to a Checkpoint: which files, which container, which reader.
#include <algorithm>
#include <set>
#include <string_view>

#include "converter/checkpoint/checkpoint.h"
#include "converter/checkpoint/sha256.h"
#include "converter/checkpoint/state_dict.h"
#include "converter/checkpoint/zip_archive.h"
#include "converter/error.h"

namespace vitrine::checkpoint {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kIndexSuffix = ".index.json";

std::string_view Text(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

// Returns the newest folder that the Trainer of transformers saved ("checkpoint-500"); empty when there is
// none.
fs::path NewestTraining(const fs::path& folder) {
  constexpr std::string_view kPrefix = "checkpoint-";
  fs::path newest;
  long last = -1;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory() || !name.starts_with(kPrefix)) continue;
    const long step = std::strtol(name.c_str() + kPrefix.size(), nullptr, 10);
    if (step > last) last = step, newest = entry.path();
  }
  return newest;
}

// Returns the weights' file of a folder from the hub. The first name that exists counts, as in the hub's
// libraries.
fs::path FindInFolder(const fs::path& folder) {
  for (const char* name : {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                           "pytorch_model.bin.index.json", "open_clip_model.safetensors"}) {
    if (fs::exists(folder / name)) return folder / name;
  }
  if (fs::exists(folder / "adapter_config.json") || fs::exists(folder / "adapter_model.safetensors")) {
    Fail(folder.string(),
         " holds an adapter (LoRA), not a model: merge it into its base model first, with "
         "peft's merge_and_unload(), then save and convert that");
  }
  std::vector<std::string> others;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string extension = entry.path().extension().string();
    for (const char* known : {".safetensors", ".pth", ".pt", ".npz", ".tar", ".onnx"}) {
      if (extension == known) others.push_back(entry.path().filename().string());
    }
  }
  const fs::path newest = NewestTraining(folder);
  const std::string hint = others.size() == 1 ? "; it holds " + others[0] + ": name that file"
                           : !newest.empty()  ? "; name the folder " + newest.string()
                                              : "";
  Fail(folder.string(),
       " is a folder without model.safetensors or pytorch_model.bin, or an index of their shards", hint);
}

Contents ReadZip(const MappedFile& file) {
  ZipArchive archive(file);
  const auto& entries = archive.entries();
  const bool all_arrays = std::all_of(entries.begin(), entries.end(),
                                      [](const auto& entry) { return entry.first.ends_with(".npy"); });
  if (entries.empty()) Fail(file.name(), " is an empty zip archive");
  return all_arrays ? ReadNpz(file, archive) : ReadTorchZip(file, archive);
}

struct Index {
  std::map<std::string, std::string> shard_of;  // tensor -> file name
  json metadata = json::object();
};

// {"metadata": {...}, "weight_map": {"tensor": "shard's file name", ...}}
Index ReadIndex(const MappedFile& file) {
  constexpr size_t kLargestIndex = 64 << 20;
  if (file.bytes().size() > kLargestIndex) Fail(file.name(), " is not an index: it is larger than 64 MB");
  const auto shallow = [&](int depth, json::parse_event_t, json&) {
    if (depth > 8) Fail(file.name(), " is not an index: its JSON is nested too deeply");
    return true;
  };
  const json parsed = json::parse(Text(file), shallow, /*allow_exceptions=*/false);
  if (!parsed.is_object() || !parsed.contains("weight_map") || !parsed["weight_map"].is_object()) {
    Fail(file.name(), " is not an index: expected a JSON object with a weight_map");
  }
  Index index;
  for (const auto& [tensor, shard] : parsed["weight_map"].items()) {
    if (!shard.is_string()) Fail(file.name(), ": the shard of ", tensor, " is not a file name");
    index.shard_of[tensor] = shard.get<std::string>();
    if (fs::path(index.shard_of[tensor]).filename() != index.shard_of[tensor]) {
      Fail(file.name(), ": shard ", index.shard_of[tensor], " is not a file name in the same folder");
    }
  }
  if (parsed.contains("metadata") && parsed["metadata"].is_object()) index.metadata = parsed["metadata"];
  return index;
}

void Merge(Contents& all, Contents shard, const std::string& file) {
  if (!all.format.empty() && all.format != shard.format) {
    Fail(file, " is ", shard.format, ", expected ", all.format, " like the other shards");
  }
  all.format = shard.format;
  for (auto& [name, tensor] : shard.tensors) {
    if (!all.tensors.emplace(name, std::move(tensor)).second) {
      Fail(file, ": ", name, " is in another shard too");
    }
  }
  all.metadata.update(shard.metadata);
  all.notes.insert(all.notes.end(), shard.notes.begin(), shard.notes.end());
  std::move(shard.inflated.begin(), shard.inflated.end(), std::back_inserter(all.inflated));
}

Contents ReadShards(const MappedFile& index_file, const NamePatterns& patterns,
                    std::vector<MappedFile>& files) {
  const Index index = ReadIndex(index_file);
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : index.shard_of) shards.insert(shard);
  Contents all;
  all.metadata = index.metadata;
  for (const std::string& shard : shards) {
    const fs::path path = index_file.path().parent_path() / shard;
    if (!fs::exists(path)) Fail(index_file.name(), " lists the shard ", shard, ", which does not exist");
    files.emplace_back(path);
    Merge(all, ReadFile(files.back(), patterns), shard);
  }
  for (const auto& [tensor, shard] : index.shard_of) {
    if (!all.tensors.contains(tensor)) {
      Fail(shard, " does not have the tensor ", tensor, ", which ", index_file.name(), " lists");
    }
  }
  return all;
}

}  // namespace

Contents ReadFile(const MappedFile& file, const NamePatterns& patterns) {
  const std::string_view text = Text(file);
  if (text.starts_with("PK\x03\x04") || text.starts_with("PK\x05\x06")) return ReadZip(file);
  // The first 8 bytes are the header's length. The upper ones are zero; the lower ones may look like another
  // format's magic number.
  const bool is_safetensors = text.size() > 8 && text[7] == '\0' && text[8] == '{';
  if (is_safetensors) return ReadSafetensors(file);
  if (LooksLikeOnnx(file.bytes())) return ReadOnnx(file, patterns);
  if (const std::string other = NameOtherFile(file.bytes()); !other.empty()) {
    Fail(file.name(), " is ", other);
  }
  const bool is_pickle = text.size() > 2 && text[0] == '\x80' && text[1] >= 2 && text[1] <= 5;
  if (is_pickle) return ReadTorchLegacy(file);
  if (file.path().extension() == ".safetensors") return ReadSafetensors(file);
  Fail(file.name(),
       " is not a checkpoint: expected safetensors, PyTorch (.pth, .pt, .bin), NumPy (.npz) or ONNX");
}

Checkpoint Checkpoint::Open(const fs::path& file_or_folder, const NamePatterns& patterns) try {
  const fs::path path = fs::is_directory(file_or_folder) ? FindInFolder(file_or_folder) : file_or_folder;
  Checkpoint checkpoint;
  MappedFile first(path);
  if (path.string().ends_with(kIndexSuffix)) {
    checkpoint.contents_ = ReadShards(first, patterns, checkpoint.files_);
  } else {
    checkpoint.contents_ = ReadFile(first, patterns);
    checkpoint.files_.push_back(std::move(first));
    for (MappedFile& file : checkpoint.contents_.data_files) checkpoint.files_.push_back(std::move(file));
  }
  if (checkpoint.tensors().empty()) Fail(path.filename().string(), " holds no tensors");
  StripPrefixes(patterns, checkpoint.contents_);
  return checkpoint;
} catch (const fs::filesystem_error& error) {
  Fail(file_or_folder.string(), " cannot be read: ", error.code().message());
}

std::vector<fs::path> Checkpoint::files() const {
  std::vector<fs::path> paths;
  for (const MappedFile& file : files_) paths.push_back(file.path());
  return paths;
}

uint64_t Checkpoint::file_bytes() const {
  uint64_t bytes = 0;
  for (const MappedFile& file : files_) bytes += file.bytes().size();
  return bytes;
}

std::string Checkpoint::Sha256() const {
  // Hashes in windows and releases each, so that a large file takes little memory.
  constexpr size_t kWindow = 8 << 20;
  checkpoint::Sha256 hash;
  for (const MappedFile& file : files_) {
    for (size_t at = 0; at < file.bytes().size(); at += kWindow) {
      const auto window = file.bytes().subspan(at, std::min(kWindow, file.bytes().size() - at));
      hash.Update(window);
      file.Release(window);
    }
  }
  return hash.Hex();
}

void Checkpoint::Release(const Tensor& tensor) const {
  for (const MappedFile& file : files_) file.Release(tensor.bytes);
}

}  // namespace vitrine::checkpoint
