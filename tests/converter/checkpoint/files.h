// SPDX-License-Identifier: Apache-2.0
// Files for tests: the committed checkpoints, and temporary ones.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "converter/checkpoint/checkpoint.h"
#include "converter/error.h"

namespace vitrine::checkpoint {

inline std::filesystem::path Fixture(const std::string& name = "") {
  return std::filesystem::path(VITRINE_SOURCE_DIR) / "tests/fixtures/checkpoint" / name;
}

inline std::string ReadBytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A temporary folder, which the destructor removes.
class ScratchFolder {
 public:
  ScratchFolder() {
    static std::atomic<int> count = 0;
    const std::string name = "vitrine_checkpoint_" + std::to_string(getpid()) + "_" + std::to_string(count++);
    path_ = std::filesystem::temp_directory_path() / name;
    std::filesystem::create_directories(path_);
  }
  ~ScratchFolder() { std::filesystem::remove_all(path_); }

  const std::filesystem::path& path() const { return path_; }

  std::filesystem::path Write(const std::string& name, std::string_view content) const {
    std::filesystem::remove(path_ / name);  // ext4 waits for the disk when a file is overwritten: 5 ms each
    std::ofstream(path_ / name, std::ios::binary) << content;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

/// Names as in the tables of converter/family, as far as the tests here need them.
inline NamePatterns TestPatterns() {
  return {
      .plain = {"cls_token", "pos_embed"},
      .embeddings = {{"patch_embed.proj", "cls_token", "dist_token", "reg_token", "pos_embed"}},
      .attentions = {{".attn.proj", {".attn.qkv", "", ""}},
                     {".attention.o_proj", {".attention.q_proj", ".attention.k_proj", ".attention.v_proj"}}},
      .scales = {{".ls1", ".gamma"}},
      .learnt_queries = {{"head.attention.in_proj_weight", "head.probe"}},
      .training_heads = {
          {"DINO's projection head", "backbone.cls_token", {"head.mlp.", "head.last_layer."}}}};
}

inline Checkpoint OpenForTest(const std::filesystem::path& path) {
  return Checkpoint::Open(path, TestPatterns());
}

/// Returns the error of opening `path`; empty when it opens.
inline std::string OpenError(const std::filesystem::path& path) {
  try {
    OpenForTest(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

inline std::string LittleEndian(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i, value >>= 8) text += static_cast<char>(value);
  return text;
}

/// Returns a safetensors file of `header` and `data_bytes` bytes 0, 1, 2, ...
inline std::string Safetensors(const std::string& header, size_t data_bytes) {
  std::string file = LittleEndian(header.size(), 8) + header;
  for (size_t i = 0; i < data_bytes; ++i) file += static_cast<char>(i);
  return file;
}

}  // namespace vitrine::checkpoint
