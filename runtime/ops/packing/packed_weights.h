// SPDX-License-Identifier: Apache-2.0
// PackedWeights: a session's weights in the layout of the CPU's kernels, and the cache file that keeps them:
//
//   header     "VITPACK2", checksums of the model and the layout, number of entries, checksum of header+table
//   table      an entry for each matrix: key, offset, bytes, checksum
//   weights    each 64-byte aligned; 64 bytes after the last one
//
// Packing copies every weight and takes most of the time of a start. A later start maps the file instead and
// does not read the model's own weights. Each start packs a small matrix with each kind of kernel and
// compares the checksum with the layout's: it differs for another CPU, version of XNNPACK or choice of
// kernels, and then the file is written again. Numbers are little-endian. packed_layout.h writes the same
// file for other CPUs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>
#include <vitrine/status.hpp>

#include "runtime/base/memory.h"

struct xnn_weights_cache_provider;

namespace vitrine {

struct PackedLayout;

/// The kernel that reads a matrix; it determines how the matrix is packed.
enum class PackedKernel : uint8_t { kF32, kF32Qc8w, kQd8F32Qc8w, kLinearInt8, kQs8Qc8w, kQd8F32Qb4w };

/// Must outlive the operators that use it; cannot move. Use it from one thread at a time.
class PackedWeights {
 public:
  /// Creates an empty set of weights for the model with this checksum, packed for this CPU, or for CPUs with
  /// `layout`.
  explicit PackedWeights(uint64_t model_checksum, const PackedLayout* layout = nullptr);
  ~PackedWeights();
  PackedWeights(const PackedWeights&) = delete;
  PackedWeights& operator=(const PackedWeights&) = delete;

  /// Maps `path` and verifies all of it. Returns false when the file is missing, damaged, or of another model
  /// or layout; the weights are then packed. Call it before any operator is created.
  bool Load(const char* path);

  /// Writes the packed weights to `path` in one step: readers see the old file, no file, or the whole new
  /// one. Fails with kNotFound when the file cannot be written, and leaves no partial file; with
  /// kInvalidArgument when `path` is a file of another kind.
  Status Save(const char* path) const;

  /// Selects the next matrix by its constants (-1 for no bias) and its kernel. Operators that select the same
  /// matrix share it, for example in another level.
  void Begin(int weight, int bias, PackedKernel kernel);
  /// Returns whether the matrix is already packed, in at least this many bytes. Its constants are then not
  /// read.
  bool ready(size_t least_bytes) const { return ready_ != nullptr && ready_bytes_ >= least_bytes; }

  /// Returns the cache for XNNPACK's create functions. It lives as long as this object.
  xnn_weights_cache_provider* provider() { return provider_.get(); }

  /// Returns the selected matrix, or null when it is not ready. For our own kernels.
  const void* ready_data() const { return ready_; }
  /// Returns 64-byte aligned memory for the selected matrix, or null. Save() writes it to the file.
  void* Reserve(size_t bytes);

  /// Returns whether Load() has mapped a file.
  bool loaded() const { return loaded_; }
  /// Returns a checksum of all matrices that were packed here.
  uint64_t ContentChecksum() const;
  /// Returns the size of all weights, packed or mapped.
  size_t bytes() const { return bytes_; }

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
  uint64_t key_ = 0;  // of the selected matrix
  const void* ready_ = nullptr;
  size_t ready_bytes_ = 0;
  bool loaded_ = false;
  size_t bytes_ = 0;
};

}  // namespace vitrine
