// SPDX-License-Identifier: Apache-2.0
// PackedWeights: a session's weights in the layout that this processor's kernels read, from a file of an
// earlier start where there is one.
//
//   header     "VITPACK2", checksum of the model, of the layout, number of entries, checksum of header and table
//   table      key, offset, bytes, checksum: an entry for each matrix that a kernel reads
//   weights    each 64-byte aligned, 64 bytes behind the last
//
// Packing takes longer than all the rest of a start and copies every weight; a file is mapped instead, and
// the model's own weights are then never read. The layout's checksum is taken from a small matrix that
// each kind of kernel packs on the spot: another processor, XNNPACK or choice of kernels gives
// another one, and the file is written anew. Numbers are little-endian; packed_layout.h writes the same file
// on other machines than its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>
#include <vitrine/status.hpp>

#include "runtime/base/mapped_file.h"

struct xnn_weights_cache_provider;

namespace vitrine {

struct PackedLayout;

/// Which kernel reads a matrix, hence how it is packed.
enum class PackedKernel : uint8_t { kF32, kF32Qc8w, kQd8F32Qc8w, kLinearInt8, kQs8Qc8w, kQd8F32Qb4w };

/// Must outlive the operators that were created with it; does not move. One thread at a time.
class PackedWeights {
 public:
  /// `model_checksum` tells one model's weights from another's. Weights are packed for this processor, or for
  /// those that have `layout`.
  explicit PackedWeights(uint64_t model_checksum, const PackedLayout* layout = nullptr);
  ~PackedWeights();
  PackedWeights(const PackedWeights&) = delete;
  PackedWeights& operator=(const PackedWeights&) = delete;

  /// Maps `path` and verifies all of it. False where it is not there, damaged, of another model or another
  /// layout: the weights are then packed. Call before any operator is created.
  bool Load(const char* path);

  /// Writes what was packed to `path`, in one step: a reader sees the old file, none, or all of the new one.
  /// Fails where the folder cannot be written to or is full; nothing is left behind then.
  Status Save(const char* path) const;

  /// The matrix that comes next: its constants, -1 where it has no bias, and who reads it. Operators that
  /// name the same one share it, such as those of another level.
  void Begin(int weight, int bias, PackedKernel kernel);
  /// Whether it is there already, at least so many bytes: its constants need not be read.
  bool ready(size_t least_bytes) const { return ready_ != nullptr && ready_bytes_ >= least_bytes; }

  /// What XNNPACK's create functions take. Lives as long as this.
  xnn_weights_cache_provider* provider() { return provider_.get(); }

  /// For a kernel of ours: that matrix, or null where it is not ready; and memory to pack it into, which goes
  /// to the file, or null where there is none. 64-byte aligned.
  const void* ready_data() const { return ready_; }
  void* Reserve(size_t bytes);

  bool loaded() const { return loaded_; }
  uint64_t ContentChecksum() const;        ///< of all that was packed here
  size_t bytes() const { return bytes_; }  ///< of all weights, packed or mapped

 private:
  struct Block {  // packed here
    uint64_t key;
    std::byte* data;
    size_t bytes;
  };
  struct Entry;

  std::span<const Entry> entries() const;

  uint64_t model_checksum_;
  const PackedLayout* layout_;
  std::unique_ptr<xnn_weights_cache_provider> provider_;
  MappedFile file_;
  std::vector<Block> blocks_;
  uint64_t key_ = 0;  // of the matrix that Begin named
  const void* ready_ = nullptr;
  size_t ready_bytes_ = 0;
  bool loaded_ = false;
  size_t bytes_ = 0;
};

}  // namespace vitrine
