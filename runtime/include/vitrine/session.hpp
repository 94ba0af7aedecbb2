// SPDX-License-Identifier: Apache-2.0
// Session: a model ready to run on this machine, with its options, its threads and its memory.
#pragma once

#include <vitrine/export.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>
#include <vitrine/image.hpp>
#include <vitrine/model.hpp>
#include <vitrine/status.hpp>

struct pthreadpool;

namespace vitrine {

/// Which attention map a session computes.
enum class AttentionMap : uint8_t {
  kNone,
  /// How much each patch contributes to the output: attention rollout (Abnar and Zuidema 2020). Each block
  /// passes on half of every token unchanged and half through its attention, averaged over the heads.
  kRollout,
  kLastBlock,  ///< the attention of the output's token in the last block, or of the attention pooling
};

/// Threads that several sessions share. Sessions that run at the same time wait for each other. Copies refer
/// to the same threads, which end with the last copy and the last session that uses them.
class VITRINE_API ThreadPool {
 public:
  /// Returns a pool of `thread_count` threads, 1 to 256, including the caller's. Fails with kInvalidArgument
  /// or kOutOfMemory.
  static Result<ThreadPool> Create(int thread_count);
  /// Returns the number of threads, including the caller's.
  int thread_count() const;

 private:
  friend class Session;
  explicit ThreadPool(std::shared_ptr<pthreadpool> pool) : pool_(std::move(pool)) {}
  std::shared_ptr<pthreadpool> pool_;
};

/// How to create a session.
struct SessionOptions {
  /// Number of threads that compute, including the caller's. 0: one for each CPU core that it may run on.
  int thread_count = 1;
  const ThreadPool* thread_pool = nullptr;  ///< threads to share, instead of thread_count; null: own threads
  /// Memory for activations, 64-byte aligned. It must outlive the session. Empty: the session allocates it.
  std::span<std::byte> arena = {};
  /// Path of a cache file for packed weights. The session maps the file when it fits this model, CPU and
  /// library. Otherwise it packs the weights and writes the file. When it cannot write the file, it logs a
  /// warning and works without it. Null: no cache.
  const char* packed_weights = nullptr;
  /// Reserve the memory for SetAttentionMap(): 4 T^2 bytes per block, 3.2 MB for T = 257 tokens and 12
  /// blocks.
  bool attention_map = false;
};

/// A part of a session's arena: a tensor, or an operator's scratch memory.
struct BufferInfo {
  const char* name;      ///< of the tensor or the operator; lives as long as the Model
  bool is_scratch;       ///< whether it is an operator's scratch memory
  int first, last;       ///< indices of the first and the last operator that need it
  size_t offset, bytes;  ///< in the arena; 0 bytes when no operator needs it
};

/// A callback for profiling and for comparing layers. It runs after each operator, in the thread of Run().
struct Observer {
  /// Receives the operator's index in LevelInfo::operators of the current level.
  void (*after)(void* context, int operator_index) = nullptr;
  void* context = nullptr;  ///< passed to `after`
};

/// A model ready to run on this machine: packed weights, an arena, threads. Move only. Use it from one thread
/// at a time. Any number of sessions may share a Model, which must outlive them.
class VITRINE_API Session {
 public:
  /// Returns a session for `model`. Packs the weights for this CPU, plans the arena and starts the threads.
  /// Later calls allocate only for images of another size. Fails with kInvalidArgument (thread count,
  /// unaligned arena), kInvalidModel (a damaged weight), kUnsupportedModel (no attention map for this model),
  /// kArenaTooSmall (the message has the bytes needed), kOutOfMemory, kUnsupportedCpu or kInternal.
  static Result<Session> Create(const Model& model, const SessionOptions& options);

  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// Selects the level that Run() runs: an index into Model::levels(). The default is 0. Takes no time: all
  /// levels are prepared and share weights and arena. Set the input again afterwards. Fails with
  /// kInvalidArgument when there is no such level.
  Status SetLevel(int level);
  /// Returns the current level.
  int level() const;

  /// Writes `image` to input(), resized and cropped as in the model's training. Allocates only when the size
  /// of the image differs from the previous one. Fails with kInvalidImage or kInvalidArgument.
  Status SetImage(const ImageView& image);

  /// Decodes a JPEG in memory and writes it to input() like SetImage(). Ignores its EXIF orientation.
  /// Converts only the cropped part to RGB. Allocates only when the image is larger than all previous ones.
  /// Fails with kInvalidImage, kInvalidArgument or kOutOfMemory.
  Status SetJpeg(std::span<const uint8_t> bytes);

  /// Returns the part of an image of `width` x `height` pixels that SetImage() passes to the model. It
  /// exceeds 0..1 when the input has a border around the image. Returns the whole image when a side is not
  /// positive or when the model's input is not an image.
  Region RegionSeen(int width, int height) const;

  /// Returns the model's input, u8 [height, width, channels], for callers that prepare it themselves. Write
  /// it before every Run(), because the arena reuses the memory. Valid as long as the session.
  std::span<uint8_t> input();

  /// Runs the model on input() and calls `observer` after each operator. Does not allocate, use files or lock
  /// anything but the thread pool.
  Status Run(const Observer& observer = {});

  /// Returns the logits of the last Run(), one per class; empty when the model has no classifier. The next
  /// Run() overwrites them.
  std::span<const float> logits() const;
  /// Returns the classifier's input of the last Run(), or the image's embedding when the model has no
  /// classifier. The next Run() overwrites it.
  std::span<const float> embedding() const;
  /// Selects the attention map that each Run() computes. A run then takes about a quarter longer; the logits
  /// stay the same. Takes no time itself. Fails with kInvalidArgument when the session was created without
  /// SessionOptions::attention_map.
  Status SetAttentionMap(AttentionMap kind);
  /// Returns the attention map of the last Run(), [grid().height, grid().width]. Values are at least 0 and
  /// their sum is at most 1: class, distillation and register tokens have the rest. Merged patches have equal
  /// parts. Empty before SetAttentionMap(). The next Run() overwrites it.
  std::span<const float> attention_map() const;
  /// Returns the grid of patches that the model cuts its input into, or zeros when it does not.
  Grid grid() const;
  /// Returns the patches of the last Run() after the last normalization, [grid().height * grid().width, D].
  /// Empty at levels that merge tokens, and when the file was converted without --patch-features. The next
  /// Run() overwrites it.
  std::span<const float> patch_features() const;

  /// Sets `values` to an operator's output as f32, row by row. Call it only inside an Observer: other
  /// operators reuse the memory later. Fails with kInvalidArgument when there is no such operator or `values`
  /// does not have rows * columns elements.
  Status ReadOutput(int operator_index, std::span<float> values) const;

  /// Runs the reference image in the file at level 0 and compares the output with the expected output in the
  /// file. Fails with kInternal when they differ by more than rounding, which is a signal-to-noise ratio
  /// below 25 dB, and with kInvalidModel when the file has no reference image.
  Status SelfTest();

  /// Writes the packed weights to `path`, for SessionOptions::packed_weights. Fails with kNotFound when the
  /// file cannot be written, and with kInvalidArgument when this session read its weights from a cache file
  /// or when `path` is a file of another kind.
  Status SavePackedWeights(const char* path) const;
  /// Returns whether the packed weights came from a cache file.
  bool packed_from_file() const;

  /// Returns the layout of the arena at this level: the tensors by their index, then each operator's scratch
  /// memory. Allocates.
  std::vector<BufferInfo> DescribeArena() const;

  /// Returns the number of threads, including the caller's.
  int thread_count() const;
  /// Returns the size of the arena: activations and scratch memory.
  size_t arena_bytes() const;
  /// Returns the size of the weights in this CPU's layout, and of XNNPACK's operators.
  size_t packed_bytes() const;

 private:
  struct VITRINE_HIDDEN State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vitrine
