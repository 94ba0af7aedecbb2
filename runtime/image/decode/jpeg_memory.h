// SPDX-License-Identifier: Apache-2.0
// Where a JPEG's decoder has its memory from: the heap, or blocks that are kept from one picture to the next.
#pragma once

#include <cstdlib>
#include <cstring>

namespace vitrine {

/// A few blocks, each as large as the largest piece that it was asked to hold. A picture asks for pieces in
/// the same order as the one before, so that each finds its block. One thread at a time.
class JpegMemory {
 public:
  JpegMemory() = default;
  JpegMemory(const JpegMemory&) = delete;
  ~JpegMemory() {
    for (Block& block : blocks_) std::free(block.data);
  }

  /// Zeroed, or null.
  void* Take(size_t bytes) {
    Block* best = nullptr;  // the smallest that holds it, or else the largest
    for (Block& block : blocks_) {
      if (block.is_taken) continue;
      if (best == nullptr ||
          (best->size < bytes ? block.size > best->size : block.size >= bytes && block.size < best->size))
        best = &block;
    }
    if (best == nullptr) return nullptr;
    if (best->size < bytes) {
      std::free(best->data);
      best->data = std::malloc(bytes);
      best->size = best->data == nullptr ? 0 : bytes;
      if (best->data == nullptr) return nullptr;
    }
    best->is_taken = true;
    return std::memset(best->data, 0, bytes);
  }

  void GiveBack(const void* data) {
    for (Block& block : blocks_) {
      if (data != nullptr && block.data == data) block.is_taken = false;
    }
  }

 private:
  static constexpr int kBlocks = 16;  // three for each of four components, the decoder, rows

  struct Block {
    void* data = nullptr;
    size_t size = 0;
    bool is_taken = false;
  };
  Block blocks_[kBlocks];
};

/// This thread's, where JpegRows is at work.
inline thread_local JpegMemory* jpeg_memory = nullptr;

inline void* TakeJpegMemory(size_t bytes) {
  return jpeg_memory != nullptr ? jpeg_memory->Take(bytes) : std::calloc(1, bytes);
}

inline void FreeJpegMemory(void* data) {
  if (jpeg_memory != nullptr) {
    jpeg_memory->GiveBack(data);
  } else {
    std::free(data);
  }
}

}  // namespace vitrine
