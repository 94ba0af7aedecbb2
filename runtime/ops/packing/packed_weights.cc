// SPDX-License-Identifier: Apache-2.0
#include "runtime/ops/packing/packed_weights.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xnnpack.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "runtime/base/memory.h"
#include "runtime/program/program.h"
#include "runtime/ops/packing/packed_layout.h"
#include "runtime/ops/xnnpack.h"

namespace vitrine {
namespace {

constexpr char kMagic[8] = {'V', 'I', 'T', 'P', 'A', 'C', 'K', '2'};
constexpr size_t kMargin = 64;  // bytes that kernels may read beyond the last weight

struct Header {
  char magic[8];
  uint64_t model_checksum, layout_checksum, entries;
  uint64_t checksum;  // of the header with zero here, and of the table
};

template <typename T>
std::span<const uint8_t> BytesOf(const T* data, size_t count = 1) {
  return {reinterpret_cast<const uint8_t*>(data), count * sizeof(T)};
}

uint64_t Checksum(std::span<const uint8_t> bytes) {
  Fletcher64 sum;
  sum.Add(bytes);
  return sum.value();
}

/// Returns whether packed weights may be written to `path`: there is no file, or a file of packed weights of
/// any version, complete or not.
bool IsFree(const char* path) {
  struct stat info;
  if (stat(path, &info) != 0) return true;
  std::FILE* file = S_ISREG(info.st_mode) ? std::fopen(path, "rb") : nullptr;
  if (file == nullptr) return false;
  char magic[sizeof kMagic];
  const size_t bytes = std::fread(magic, 1, sizeof magic, file);
  std::fclose(file);
  return std::memcmp(magic, kMagic, std::min(bytes, sizeof kMagic - 1)) == 0;  // the last byte is the version
}

bool WriteAll(int file, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

struct PackedWeights::Entry {
  uint64_t key, offset, bytes, checksum;
};

PackedWeights::PackedWeights(uint64_t model_checksum, const PackedLayout* layout)
    : model_checksum_(model_checksum), layout_(layout), provider_(new xnn_weights_cache_provider) {
  // XNNPACK's offsets are addresses here.
  *provider_ = {
      .context = this,
      .look_up =
          [](void* self, const xnn_weights_cache_look_up_key*) {
            const void* ready = static_cast<PackedWeights*>(self)->ready_data();
            return ready == nullptr ? SIZE_MAX : reinterpret_cast<size_t>(ready);
          },
      .reserve_space = [](void* self,
                          size_t bytes) { return static_cast<PackedWeights*>(self)->Reserve(bytes); },
      .look_up_or_insert = [](void*, const xnn_weights_cache_look_up_key*, void* data,
                              size_t) { return reinterpret_cast<size_t>(data); },
      .is_finalized = [](void*) { return true; },
      .offset_to_addr = [](void*, size_t offset) { return reinterpret_cast<void*>(offset); },
      .delete_cache = [](void*) { return xnn_status_success; },
  };
}

PackedWeights::~PackedWeights() {
  for (const Block& block : blocks_) FreeBytes(block.data);
}

std::span<const PackedWeights::Entry> PackedWeights::entries() const {
  if (!loaded_) return {};
  const auto* header = reinterpret_cast<const Header*>(file_.bytes().data());
  return {reinterpret_cast<const Entry*>(header + 1), static_cast<size_t>(header->entries)};
}

bool PackedWeights::Load(const char* path) {
  Result<MappedFile> opened = MappedFile::Open(path);
  if (!opened.ok()) return false;
  const std::span<const uint8_t> file = opened.value().bytes();
  if (file.size() < sizeof(Header)) return false;
  Header header;
  std::memcpy(&header, file.data(), sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0 || header.model_checksum != model_checksum_ ||
      header.layout_checksum != LayoutChecksum(layout_) ||
      header.entries > (file.size() - sizeof header) / sizeof(Entry)) {
    return false;
  }
  const std::span<const Entry> table(reinterpret_cast<const Entry*>(file.data() + sizeof header),
                                     header.entries);
  Fletcher64 sum;
  const uint64_t stored = std::exchange(header.checksum, 0);
  sum.Add(BytesOf(&header));
  sum.Add(BytesOf(table.data(), table.size()));
  if (sum.value() != stored) return false;
  size_t bytes = 0;
  for (const Entry& entry : table) {
    const bool inside = entry.offset % kAlignment == 0 && entry.bytes <= file.size() &&
                        entry.offset <= file.size() - entry.bytes &&
                        file.size() - entry.offset - entry.bytes >= kMargin;
    if (!inside || Checksum(file.subspan(entry.offset, entry.bytes)) != entry.checksum) return false;
    bytes += entry.bytes;
  }
  file_ = std::move(opened).value();
  loaded_ = true;
  bytes_ = bytes;
  return true;
}

Status PackedWeights::Save(const char* path) const {
  if (!IsFree(path)) {
    return Status::Error(Code::kInvalidArgument,
                         "%s: not overwritten, because it is not a file of packed weights", path);
  }
  std::vector<Entry> table;
  uint64_t offset = RoundUp(sizeof(Header) + blocks_.size() * sizeof(Entry));
  for (const Block& block : blocks_) {
    const uint64_t checksum = Checksum({reinterpret_cast<const uint8_t*>(block.data), block.bytes});
    table.push_back({block.key, offset, block.bytes, checksum});
    offset += RoundUp(block.bytes);
  }
  Header header = {{}, model_checksum_, LayoutChecksum(layout_), table.size(), 0};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  Fletcher64 sum;
  sum.Add(BytesOf(&header));
  sum.Add(BytesOf(table.data(), table.size()));
  header.checksum = sum.value();

  const std::string part = std::string(path) + "." + std::to_string(getpid()) + ".part";
  const int file = open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) return Status::Error(Code::kNotFound, "%s: %s", path, std::strerror(errno));
  static constexpr uint8_t kZeros[kAlignment + kMargin] = {};
  const auto pad = [&](size_t bytes) { return WriteAll(file, {kZeros, RoundUp(bytes) - bytes}); };
  const size_t metadata = sizeof header + table.size() * sizeof(Entry);
  bool written = WriteAll(file, BytesOf(&header)) && WriteAll(file, BytesOf(table.data(), table.size())) &&
                 pad(metadata);
  for (const Block& block : blocks_) {
    written = written && WriteAll(file, {reinterpret_cast<const uint8_t*>(block.data), block.bytes}) &&
              pad(block.bytes);
  }
  written = written && WriteAll(file, {kZeros, kMargin});
  written = close(file) == 0 && written && rename(part.c_str(), path) == 0;
  if (written) return {};
  const int error = errno;
  unlink(part.c_str());
  return Status::Error(Code::kNotFound, "%s: cannot write: %s", path, std::strerror(error));
}

void PackedWeights::Begin(int weight, int bias, PackedKernel kernel) {
  key_ = static_cast<uint64_t>(weight) << 36 | static_cast<uint64_t>(bias + 1) << 8 |
         static_cast<uint64_t>(kernel);
  // These have no PackedLayout. With the checksum in the key, another CPU does not find them.
  if (kernel == PackedKernel::kQs8Qc8w || kernel == PackedKernel::kQd8F32Qb4w) key_ ^= OwnLayoutChecksum();
  ready_ = nullptr;
  for (const Entry& entry : entries()) {
    if (entry.key == key_) ready_ = file_.bytes().data() + entry.offset, ready_bytes_ = entry.bytes;
  }
  for (const Block& block : blocks_) {
    if (block.key == key_) ready_ = block.data, ready_bytes_ = block.bytes;
  }
}

void* PackedWeights::Reserve(size_t bytes) {
  void* data = AllocateForXnnpack(bytes + kMargin);
  if (data == nullptr) return nullptr;
  blocks_.push_back({key_, static_cast<std::byte*>(data), bytes});
  bytes_ += bytes;
  return data;
}

uint64_t PackedWeights::ContentChecksum() const {
  Fletcher64 sum;
  for (const Block& block : blocks_) sum.Add({reinterpret_cast<const uint8_t*>(block.data), block.bytes});
  return sum.value();
}

}  // namespace vitrine
