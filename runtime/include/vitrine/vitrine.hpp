// SPDX-License-Identifier: Apache-2.0
// vitrine for C++: open a model, create a session, give it an image, run it, read what it says.
//
//   #include <cstdio>
//   #include <string>
//   #include <vitrine/vitrine.hpp>
//
//   int Fail(const char* message) { return std::fprintf(stderr, "%s\n", message), 1; }
//
//   int main(int argc, char** argv) {
//     if (argc != 3) return Fail("usage: classify MODEL.vit PHOTO");
//     auto model = vitrine::Model::Open(argv[1]);
//     if (!model.ok()) return Fail(model.status().message());
//     auto session = vitrine::Session::Create(model.value(), {});
//     if (!session.ok()) return Fail(session.status().message());
//     const auto photo = vitrine::Image::Load(argv[2]);
//     if (!photo.ok()) return Fail(photo.status().message());
//     auto status = session.value().SetImage(photo.value().view());
//     if (status.ok()) status = session.value().Run();
//     if (!status.ok()) return Fail(status.message());
//     vitrine::Guess best[1];
//     const size_t count = vitrine::TopClasses(session.value().logits(), best);
//     if (count == 0) return Fail("the model has no classifier");
//     std::string label = model.value().label(best[0].index);  // "" where it has no names
//     if (label.empty()) label = "class " + std::to_string(best[0].index);
//     std::printf("%s %.1f %%\n", label.c_str(), 100.0 * best[0].probability);
//   }
//
// The standard is C++20. No function throws, prints or aborts; each that can fail returns a Status or a
// Result, which must be looked at.
#pragma once

#include <vitrine/export.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>
#include <vitrine/image.hpp>
#include <vitrine/status.hpp>

struct pthreadpool;

namespace vitrine {

/// The version of the library: "0.1.0". A string literal.
VITRINE_API const char* Version();

enum class LogLevel : uint8_t { kInfo, kWarning };
using LogFunction = void (*)(void* context, LogLevel level, const char* message);
/// From now on `function` is told, from any thread, what is no failure but worth knowing, such as packed
/// weights that could not be kept. Null: nobody, as at the start. Call it while no other call runs.
VITRINE_API void SetLog(LogFunction function, void* context);

/// Where arenas and packed weights come from. `alignment` is a power of two; null is returned where there is
/// no more. Called from any thread.
struct Allocator {
  void* (*allocate)(void* context, size_t bytes, size_t alignment) = nullptr;
  void (*free)(void* context, void* memory) = nullptr;
  void* context = nullptr;
};
/// Sets it for the process; without functions the system's. Fails with kInvalidArgument
/// once a model was opened.
VITRINE_API Status SetAllocator(const Allocator& allocator);

/// An operator of a model, for people who want to know what runs. The strings live as long as the Model.
struct OperatorInfo {
  const char* name;  ///< "block 7 fc1"
  const char* kind;  ///< "Linear"
  const char* type;  ///< "qd8_f32_qc8w": dynamic int8 in, f32 out, int8 weights with a scale for each channel
  int64_t rows, columns;  ///< shape of its output
  int64_t macs;           ///< multiply-accumulates in matrix products
  int64_t parameters;     ///< trained values that it reads
  float sqnr_db;          ///< measured by the converter against f32 at its output; NaN where it was not
  int reads[4], writes;   ///< tensors, as Session::DescribeArena() numbers them; -1 where there is none
};

/// What lies in a session's arena: a tensor, or an operator's scratch memory.
struct BufferInfo {
  const char* name;      ///< the tensor's or the operator's; lives as long as the Model
  bool is_scratch;       ///< an operator's
  int first, last;       ///< the first and last operator that need it, by index
  size_t offset, bytes;  ///< bytes are 0 where nothing needs it
};

/// A level of a model: the same model with a number of tokens merged in each block (Token Merging, Bolya et
/// al. 2023), faster and a little further from what was trained.
struct LevelInfo {
  int merged_tokens;  ///< a block; 0: none
  int64_t macs;
  float sqnr_db;    ///< at the output, against f32 without merging, decibels
  float agreement;  ///< fraction of the images with f32's top-1
  std::span<const OperatorInfo> operators;
};

/// Patches of the image, row by row from the top left.
struct Grid {
  int height = 0, width = 0;
};

/// What a model says of itself. The strings live as long as the Model; absent ones are empty.
struct ModelInfo {
  int format_major, format_minor;
  std::string_view producer, family, recipe;
  std::string_view source_file, source_format, source_sha256;
  /// Of the input, pixels; zeros where the input is not an image.
  int image_height, image_width, image_channels;
  std::string_view resize, interpolation;  ///< "shortest side 256", then a crop of the input's size
  std::span<const float> mean, deviation;  ///< folded into the weights; of pixels scaled to 0..1
  Grid grid;                               ///< of patches; zeros where the input is not cut into any
  int64_t tokens;            ///< rows of the widest sequence, class token and registers included
  int64_t macs, parameters;  ///< sums over the operators
  size_t file_bytes;
  int fidelity_images;      ///< how many images the converter measured on; 0: not measured
  bool fidelity_synthetic;  ///< they were made by the converter, not photos
  float sqnr_db;            ///< at the output, against f32, decibels
  float agreement;          ///< fraction of the images with f32's top-1
};

/// A model file, verified. Read-only and safe to share between threads and sessions. Move only.
class VITRINE_API Model {
 public:
  /// Maps and verifies the file: its structure, the checksum of all but the weights, every shape and
  /// reference. The weights are verified when a session first reads them. Fails with kNotFound, kInvalidArgument
  /// (a folder, an empty file), kInvalidModel, kUnsupportedModel or kOutOfMemory.
  static Result<Model> Open(const char* path);

  /// The same for bytes in memory, 64-byte aligned, which must outlive the Model and its sessions.
  static Result<Model> FromBytes(std::span<const uint8_t> bytes);

  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  const ModelInfo& info() const;
  std::span<const OperatorInfo> operators() const;  ///< of level 0
  /// Each merges more tokens than the one before; at least one.
  std::span<const LevelInfo> levels() const;
  /// How many labels it carries: as many as classes, or none.
  int label_count() const;
  /// The name of class `index`, or "" where there is none. Lives as long as the Model.
  const char* label(int index) const;

 private:
  friend class Session;
  friend Status PackForCpu(const Model& model, std::string_view cpu, const char* path);
  struct VITRINE_HIDDEN State;
  explicit Model(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// What a session tells of where the model looked.
enum class AttentionMap : uint8_t {
  kNone,
  /// How much of the output comes from each patch: attention rollout (Abnar and Zuidema 2020), half of every
  /// token passed on as it is in each block and half by its attention, averaged over the heads.
  kRollout,
  kLastBlock,  ///< what the output's token attends to in the last block, or the attention that pools
};

/// Threads that several sessions share; what they run at the same time waits for each other. Copies are the
/// same threads, which end with the last copy and session.
class VITRINE_API ThreadPool {
 public:
  /// `thread_count` with the caller's thread, 1 to 256. Fails with kInvalidArgument, kOutOfMemory.
  static Result<ThreadPool> Create(int thread_count);
  int thread_count() const;

 private:
  friend class Session;
  explicit ThreadPool(std::shared_ptr<pthreadpool> pool) : pool_(std::move(pool)) {}
  std::shared_ptr<pthreadpool> pool_;
};

struct SessionOptions {
  /// Threads that compute, the caller's included; 0: as many as there are processors that it may run on.
  int thread_count = 1;
  const ThreadPool* thread_pool = nullptr;  ///< in place of thread_count; null: threads of its own
  /// Memory for activations, 64-byte aligned, outliving the session; empty: its own.
  std::span<std::byte> arena = {};
  /// File that keeps the packed weights between starts: a session maps it where it fits this model, processor
  /// and library, and writes it where it does not. A folder that is full or read-only costs nothing but the
  /// packing. Null: none.
  const char* packed_weights = nullptr;
  /// Reserve what SetAttentionMap() needs: 4 T^2 bytes a block, 3.2 MB for 257 tokens and 12 blocks.
  bool attention_map = false;
};

/// Lets the calling thread, and the threads of sessions that it creates from now on, run on these processors
/// only (Linux's numbers). Empty: on the fast ones of a machine that has fast and slow ones, which is where a
/// ViT runs best: work is shared out evenly and a slow core would be waited for. Fails with kInvalidArgument
/// when there is no such processor.
VITRINE_API Status UseProcessors(std::span<const int> processors = {});

/// Called after each operator has run, with its index in the level's LevelInfo::operators: for profiling and
/// for comparing layers.
struct Observer {
  void (*after)(void* context, int operator_index) = nullptr;
  void* context = nullptr;
};

/// A model ready to run on this machine: packed weights, an arena, a pool of threads. Move only; use from one
/// thread at a time. Any number of sessions may share a Model, which must outlive them.
class VITRINE_API Session {
 public:
  /// Packs the weights for this processor, plans the arena and starts the threads: all that is ever
  /// allocated, but for pictures of another size. Fails with kInvalidArgument (threads, an arena that is not
  /// aligned), kInvalidModel when a weight is damaged, kUnsupportedModel (no attention map of this model),
  /// kArenaTooSmall with the bytes needed, kOutOfMemory, kUnsupportedCpu, kInternal.
  static Result<Session> Create(const Model& model, const SessionOptions& options);

  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// From now on this level of the model runs: an index into Model::levels(); 0 at first. All are prepared
  /// and share weights and arena: takes no time. Set the input again afterwards. Fails with kInvalidArgument
  /// where there is no such level.
  Status SetLevel(int level);
  int level() const;

  /// Resizes and crops `image` as the model's training did, into input(). Allocates only when an image's size
  /// differs from the one before. Fails with kInvalidImage or kInvalidArgument.
  Status SetImage(const ImageView& image);

  /// The same for a JPEG in memory, as cameras send them, with its orientation left as it is stored. Only
  /// what the crop keeps becomes RGB. Allocates only for a picture larger than those before. Fails with
  /// kInvalidImage, kInvalidArgument or kOutOfMemory.
  Status SetJpeg(std::span<const uint8_t> bytes);

  /// What SetImage() shows the model of a picture of that size in pixels: where input() comes from. Beyond
  /// 0..1 where the input has a border around the picture. All of it where a side is not positive or the
  /// input is no image.
  Region RegionSeen(int width, int height) const;

  /// The model's input, u8 [height, width, channels], for callers that prepare it themselves. Write before
  /// every Run: the arena reuses the memory. Lives as long as the session.
  std::span<uint8_t> input();

  /// Runs the model on input(). No allocation, no file, no lock but the pool's.
  Status Run(const Observer& observer = {});

  /// One number a class, of the last Run; empty where the model has no classifier.
  /// Overwritten by the next Run.
  std::span<const float> logits() const;
  /// What the classifier reads, or the image's embedding where there is none. Overwritten by the next Run.
  std::span<const float> embedding() const;
  /// From now on each Run also tells where the model looked, in attention_map(), for a quarter of its time
  /// more; logits are the same. Takes no time. Fails with kInvalidArgument in a session that was created
  /// without SessionOptions::attention_map.
  Status SetAttentionMap(AttentionMap kind);
  /// Of the last Run: [grid().height, grid().width], each at least 0, with a sum of at most 1; class,
  /// distillation and register tokens have the rest. Patches that were merged have equal parts. Empty before
  /// SetAttentionMap(). Overwritten by the next Run.
  std::span<const float> attention_map() const;
  /// The patches that the model cuts its input into; zeros where it does not.
  Grid grid() const;
  /// The patches after the last normalization, f32 [grid().height * grid().width, D], of the last Run, where
  /// the file was converted with --patch-features; else empty, and at levels that merge tokens. Overwritten
  /// by the next Run.
  std::span<const float> patch_features() const;

  /// Output of an operator as f32, row by row; only inside an Observer, before other operators reuse the
  /// memory. `values` must have rows * columns elements.
  Status ReadOutput(int operator_index, std::span<float> values) const;

  /// Runs the reference image that the file carries, at level 0, and compares the result with the one that
  /// the file says it must give. Fails with kInternal when they differ by more than rounding: the
  /// signal-to-noise ratio is below 25 dB.
  Status SelfTest();

  /// Writes the packed weights to `path` for SessionOptions::packed_weights. Fails with kNotFound when it
  /// cannot be written, kInvalidArgument when this session has them from a file itself, or a file of another
  /// kind is there.
  Status SavePackedWeights(const char* path) const;
  bool packed_from_file() const;  ///< whether this session has not packed anything

  /// What lies where in the arena at this level: the tensors by their number, then the scratch memory of each
  /// operator. Allocates.
  std::vector<BufferInfo> DescribeArena() const;

  int thread_count() const;
  size_t arena_bytes() const;   ///< activations and scratch
  size_t packed_bytes() const;  ///< weights in this processor's layout, and XNNPACK's operators

 private:
  struct VITRINE_HIDDEN State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Processors that read packed weights alike.
struct CpuClass {
  std::string_view name;   ///< "dotprod"
  std::string_view cores;  ///< "cortex-a55 cortex-a75 ..."
};
/// All classes that PackForCpu knows. Static.
VITRINE_API std::span<const CpuClass> CpuClasses();
/// The one that `cpu` names, a class or one of its cores; null where there is none.
VITRINE_API const CpuClass* FindCpuClass(std::string_view cpu);

/// Writes to `path` the packed weights that a session of `model` would write on a processor that `cpu`
/// names (FindCpuClass), byte for byte: its first start then is a fast one. Fails with kInvalidArgument
/// when there is no such class, kInvalidModel when a weight is damaged, kNotFound when the file cannot be
/// written, kOutOfMemory.
VITRINE_API Status PackForCpu(const Model& model, std::string_view cpu, const char* path);

/// Sets `probabilities` to the softmax of `logits`; both have the same size, and may be the same memory.
VITRINE_API void Softmax(std::span<const float> logits, std::span<float> probabilities);

/// A class and how probable it is.
struct Guess {
  int index;
  float probability;
};

/// Sets `top` to the most probable classes, most probable first, of equal ones the first class; returns how
/// many, which is fewer than top.size() where there are fewer classes. Does not allocate.
VITRINE_API size_t TopClasses(std::span<const float> logits, std::span<Guess> top);
/// The same of probabilities, which stay as they are.
VITRINE_API size_t TopProbabilities(std::span<const float> probabilities, std::span<Guess> top);

/// The name of the processor's kernels in use: "AVX3_ZEN4", "NEON", "NEON_BF16", ... A string literal.
VITRINE_API const char* InstructionSet();

}  // namespace vitrine
