// SPDX-License-Identifier: Apache-2.0
// Model: a verified .vit file, and the description of what it contains.
#pragma once

#include <vitrine/export.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vitrine/status.hpp>

namespace vitrine {

/// An operator of a model, for profiling and inspection. The strings live as long as the Model.
struct OperatorInfo {
  const char* name;       ///< for example "block 7 fc1"
  const char* kind;       ///< for example "Linear"
  const char* type;       ///< "qd8_f32_qc8w": dynamic int8 in, f32 out, int8 weights scaled per channel
  int64_t rows, columns;  ///< shape of its output
  int64_t macs;           ///< multiply-accumulates in its matrix products
  int64_t parameters;     ///< number of trained values that it reads
  float sqnr_db;          ///< signal to noise against f32 at its output, by the converter; NaN: not measured
  int reads[4], writes;   ///< tensors, by their index in Session::DescribeArena(); -1: unused
};

/// The largest number of levels of a model.
inline constexpr int kMaxLevels = 16;

/// A level of a model: the same model, with some tokens merged in each block (Token Merging, Bolya et al.
/// 2023). More merging is faster and less accurate.
struct LevelInfo {
  int merged_tokens;  ///< tokens merged in each block; 0: no merging
  int64_t macs;       ///< multiply-accumulates of an image
  float sqnr_db;      ///< signal to noise at the output against f32 without merging, decibels
  float agreement;    ///< fraction of the converter's images with the same top-1 class as f32
  std::span<const OperatorInfo> operators;
};

/// A grid of patches. Maps of patches are stored row by row from the top left.
struct Grid {
  int height = 0, width = 0;
};

/// The description of a model. The strings live as long as the Model; missing strings are empty.
struct ModelInfo {
  int format_major, format_minor;
  std::string_view producer, family, recipe;
  std::string_view source_file, source_format, source_sha256;
  int image_height, image_width, image_channels;  ///< of the input, pixels; zeros when it is not an image
  std::string_view resize, interpolation;  ///< "shortest side 256", then a center crop of the input's size
  std::span<const float> mean, deviation;  ///< of pixels scaled to 0..1; already folded into the weights
  Grid grid;                               ///< of patches; zeros when the input is not cut into patches
  int64_t tokens;            ///< rows of the longest sequence, including class and register tokens
  int64_t macs, parameters;  ///< sums over the operators of level 0
  size_t file_bytes;
  int fidelity_images;      ///< number of images that the converter measured on; 0: not measured
  bool fidelity_synthetic;  ///< whether the converter generated these images, instead of using photos
  float sqnr_db;            ///< signal to noise at the output against f32, decibels
  float agreement;          ///< fraction of these images with the same top-1 class as f32
};

/// A model file, verified. Read-only: threads and sessions may share it. Move only.
class VITRINE_API Model {
 public:
  /// Returns the model in the file at `path`. Maps the file and verifies its structure, the checksum of all
  /// but the weights, and every shape and reference. A session verifies the weights when it first reads them.
  /// Fails with kNotFound, kInvalidArgument (a folder, an empty file), kInvalidModel, kUnsupportedModel or
  /// kOutOfMemory.
  static Result<Model> Open(const char* path);

  /// Returns the model in `bytes`, verified like a file. `bytes` must be 64-byte aligned and must outlive the
  /// Model and its sessions.
  static Result<Model> FromBytes(std::span<const uint8_t> bytes);

  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  /// Returns the description of the model. It lives as long as the Model.
  const ModelInfo& info() const;
  /// Returns the operators of level 0, in the order in which they run.
  std::span<const OperatorInfo> operators() const;
  /// Returns the levels: at least one, each merging more tokens than the one before.
  std::span<const LevelInfo> levels() const;
  /// Returns the number of labels: the number of classes, or 0.
  int label_count() const;
  /// Returns the name of class `index`, or "" when it has none. The string lives as long as the Model.
  const char* label(int index) const;

 private:
  friend class Session;
  friend Status PackForCpu(const Model& model, std::string_view cpu, const char* path);
  struct VITRINE_HIDDEN State;
  explicit Model(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vitrine
