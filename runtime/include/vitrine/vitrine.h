/* SPDX-License-Identifier: Apache-2.0
 * vitrine in C: a Vision Transformer from a .vit file, run on photos and camera frames.
 *
 *     #include <stdio.h>
 *     #include <vitrine/vitrine.h>
 *
 *     int main(int argc, char** argv) {
 *       vitrine_model model;
 *       vitrine_session session;
 *       vitrine_guess best;
 *       size_t count;
 *       if (argc != 3) return fprintf(stderr, "usage: %s MODEL.vit PHOTO\n", argv[0]), 2;
 *       if (vitrine_model_open(argv[1], &model) || vitrine_session_create(model, NULL, &session) ||
 *           vitrine_session_set_file(session, argv[2]) || vitrine_session_run(session) ||
 *           vitrine_session_top(session, &best, 1, &count))
 *         return fprintf(stderr, "%s\n", vitrine_last_error()), 1;
 *       if (count == 0) return fprintf(stderr, "the model has no classifier\n"), 1;
 *       const char* label = vitrine_model_label(model, best.index);  // "" where it has no names
 *       if (*label == 0) printf("class %d", best.index);
 *       printf("%s %.1f%%\n", label, 100 * best.probability);
 *       vitrine_session_close(session);
 *       vitrine_model_close(model);
 *       return 0;
 *     }
 *
 * Errors: a function that can fail returns a vitrine_status. It is 0, or the kind of the failure; vitrine_last_error() then
 * returns one line that explains it. No function prints, throws or aborts. Null pointers, wrong sizes, and handles that are not
 * open fail with VITRINE_INVALID_ARGUMENT. A session that another thread is using fails with VITRINE_BUSY. At most 4096 handles
 * of each kind can be open at once.
 *
 * Threads: any number of threads may use a model at once. Only one thread at a time may use a session.
 *
 * Stability: this interface keeps its meaning and its binary layout within a major version. A structure begins with its size, so
 * that later versions can add members at its end. */
#ifndef VITRINE_VITRINE_H_
#define VITRINE_VITRINE_H_

#include <stddef.h>
#include <stdint.h>

#include "vitrine/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The version of this interface. Within a major version, a higher minor version only adds to the lower ones. */
#define VITRINE_C_API_MAJOR 1
#define VITRINE_C_API_MINOR 0

typedef enum vitrine_status {
  VITRINE_OK = 0,
  VITRINE_INVALID_ARGUMENT = 1,  /**< an argument is null, out of range, of the wrong size, or a handle that is not open */
  VITRINE_NOT_FOUND = 2,         /**< a file or folder does not exist or cannot be opened or written */
  VITRINE_INVALID_MODEL = 3,     /**< a model file is damaged or inconsistent */
  VITRINE_UNSUPPORTED_MODEL = 4, /**< a model file has another major version or needs a feature that is missing here */
  VITRINE_INVALID_IMAGE = 5,     /**< the data is not an image, or the image is damaged */
  VITRINE_ARENA_TOO_SMALL = 6,   /**< the caller's arena is too small; the message has the number of bytes needed */
  VITRINE_OUT_OF_MEMORY = 7,     /**< memory could not be allocated */
  VITRINE_UNSUPPORTED_CPU = 8,   /**< the CPU lacks the required instructions (NEON on ARM, SSE4.1 on x86) */
  VITRINE_INTERNAL = 9,          /**< an unexpected failure, for example in XNNPACK */
  VITRINE_BUSY = 10              /**< another thread is using this session */
} vitrine_status;

/** Handles. Zero is no handle. The value of a closed handle is never used again, so that every use of it fails safely. */
typedef struct vitrine_model_handle* vitrine_model;
typedef struct vitrine_session_handle* vitrine_session;
typedef struct vitrine_pool_handle* vitrine_pool;

/** Returns the version of the library, for example "0.1.0". The string is static. */
VITRINE_API const char* vitrine_version(void);
/** Returns VITRINE_C_API_MAJOR * 1000 + VITRINE_C_API_MINOR of the loaded library. */
VITRINE_API int vitrine_c_api_version(void);
/** Returns the name of the instruction set that the kernels use, for example "NEON" or "AVX3_DL". The string is static. */
VITRINE_API const char* vitrine_instruction_set(void);
/** Returns one line about the last failed call in this thread, or "" when none has failed. Valid until the next failed call in
 * this thread. */
VITRINE_API const char* vitrine_last_error(void);

/** How important a log message is. */
typedef enum vitrine_log_level { VITRINE_LOG_INFO = 0, VITRINE_LOG_WARNING = 1 } vitrine_log_level;
/** Receives one line without a line break. The text is valid during the call only. */
typedef void (*vitrine_log_function)(void* context, vitrine_log_level level, const char* message);
/** Sets the log callback. It may be called from any thread, for warnings and information, never for errors. An example is a
 * cache of packed weights that could not be written. Null (the default) disables logging. `context` is passed to the callback.
 * Not thread-safe: call it while no other call runs. */
VITRINE_API void vitrine_set_log(vitrine_log_function function, void* context);

/** Returns `bytes` bytes, aligned to `alignment`, which is a power of two; null when out of memory. Called from any thread. */
typedef void* (*vitrine_allocate_function)(void* context, size_t bytes, size_t alignment);
/** Frees what the allocate function returned. `memory` is never null. Called from any thread. */
typedef void (*vitrine_free_function)(void* context, void* memory);
/** Sets the allocator of this process, for arenas and packed weights. Two null functions select the system's (the default). Fails
 * with VITRINE_INVALID_ARGUMENT when only one is null, or when a model was opened before. Not thread-safe. */
VITRINE_API vitrine_status vitrine_set_allocator(vitrine_allocate_function allocate, vitrine_free_function release,
                                                 void* context);

/* ---- models ---------------------------------------------------------------------------------------------------------- */

/** Sets *model to the model in the file at `path`. Maps and verifies the file. Sets *model to 0 on failure. */
VITRINE_API vitrine_status vitrine_model_open(const char* path, vitrine_model* model);
/** Sets *model to the model in `size` bytes of memory, verified like a file. They must be 64-byte aligned, and must not change
 * until the model and its sessions are closed. */
VITRINE_API vitrine_status vitrine_model_from_bytes(const void* bytes, size_t size, vitrine_model* model);
/** Closes the handle. Sessions of the model keep working. */
VITRINE_API vitrine_status vitrine_model_close(vitrine_model model);

/** The description of a model. Strings live as long as the model or one of its sessions is open. */
typedef struct vitrine_model_info {
  size_t struct_size; /**< sizeof(vitrine_model_info), set by the caller */
  int format_major, format_minor;
  const char *family, *recipe;
  int image_height, image_width, image_channels; /**< of the input, pixels; zeros when it is not an image */
  int grid_height, grid_width;                   /**< number of patches; zeros when the input is not cut into patches */
  int64_t tokens, macs, parameters;
  size_t file_bytes;
  int label_count, level_count, operator_count; /**< the operators are those of level 0 */
  float sqnr_db, agreement; /**< measured by the converter against f32: decibels; fraction of images with the same class */
} vitrine_model_info;
/** Sets the members of *info that fit into its struct_size. */
VITRINE_API vitrine_status vitrine_model_describe(vitrine_model model, vitrine_model_info* info);
/** Returns the name of class `index`, or "" when it has none. The string lives as long as the model or one of its sessions is
 * open. */
VITRINE_API const char* vitrine_model_label(vitrine_model model, int index);

/** An operator of a model, as timed by vitrine_session_profile(). Strings live as long as those of the model. */
typedef struct vitrine_operator_info {
  size_t struct_size;             /**< sizeof(vitrine_operator_info), set by the caller */
  const char *name, *kind, *type; /**< for example "block 7 fc1", "Linear", "qd8_f32_qc8w" */
  int64_t rows, columns, macs;    /**< shape of the output; multiply-accumulates in matrix products */
} vitrine_operator_info;
/** Describes operator `index` of a level; operators are numbered in the order in which they run. Fails with
 * VITRINE_INVALID_ARGUMENT when there is no such level or operator. */
VITRINE_API vitrine_status vitrine_model_operator(vitrine_model model, int level, int index, vitrine_operator_info* info);

/* ---- sessions -------------------------------------------------------------------------------------------------------- */

/** Sets *pool to threads that several sessions can share. `threads` is 1 to 256, including the caller's. */
VITRINE_API vitrine_status vitrine_pool_create(int threads, vitrine_pool* pool);
/** Closes the handle. Sessions that use the pool keep working; the threads end with the last of them. */
VITRINE_API vitrine_status vitrine_pool_close(vitrine_pool pool);

/** How to create a session. */
typedef struct vitrine_session_options {
  size_t struct_size;         /**< sizeof(vitrine_session_options), set by the caller */
  int thread_count;           /**< including the caller's; 0: one for each CPU core that it may run on */
  vitrine_pool pool;          /**< threads to share, instead of thread_count; 0: own threads */
  void* arena;                /**< memory for activations, 64-byte aligned, in use until the session is closed; null: allocate */
  size_t arena_bytes;         /**< size of `arena` */
  const char* packed_weights; /**< path of a cache file for packed weights, created when missing or out of date; null: none */
  int attention_map;          /**< not 0: reserve the memory for vitrine_session_set_attention_map() */
} vitrine_session_options;

/** Sets *session to a new session of `model`, or to 0 on failure. Packs the weights for this CPU, plans the arena and starts the
 * threads. Later calls allocate only for images of another size. `options` may be null: one thread, and the session allocates its
 * memory. Any number of sessions may share a model. */
VITRINE_API vitrine_status vitrine_session_create(vitrine_model model, const vitrine_session_options* options,
                                                  vitrine_session* session);
/** Closes the session and frees its memory. Fails with VITRINE_BUSY while another thread is using it. */
VITRINE_API vitrine_status vitrine_session_close(vitrine_session session);
/** Returns the size of the arena in bytes, or 0 when the handle is not open. */
VITRINE_API size_t vitrine_session_arena_bytes(vitrine_session session);

/** Selects the level that runs, 0 (the default) to level_count - 1. Higher levels merge more tokens, which is faster and less
 * accurate. Set the input again afterwards. */
VITRINE_API vitrine_status vitrine_session_set_level(vitrine_session session, int level);

/** How pixels are stored. */
typedef enum vitrine_format {
  VITRINE_RGB8 = 0,
  VITRINE_BGR8 = 1,
  VITRINE_RGBA8 = 2, /**< alpha is ignored, without compositing */
  VITRINE_GRAY8 = 3,
  VITRINE_YUYV8 = 4, /**< Y, U, Y, V for two pixels */
  VITRINE_NV12 = 5,  /**< a Y plane; chroma[0]: U and V interleaved, half as wide and half as high */
  VITRINE_I420 = 6,  /**< a Y plane; chroma[0]: U, chroma[1]: V, each half as wide and half as high */
  VITRINE_NV21 = 7   /**< like NV12, with V before U */
} vitrine_format;

/** Pixels that the caller owns: eight bits per sample, rows from top to bottom. */
typedef struct vitrine_image {
  size_t struct_size; /**< sizeof(vitrine_image), set by the caller */
  const uint8_t* pixels;
  int width, height;      /**< pixels */
  ptrdiff_t stride_bytes; /**< from one row to the next; negative when rows are stored bottom up */
  vitrine_format format;
  const uint8_t* chroma[2];      /**< NV12, NV21, I420 */
  ptrdiff_t chroma_stride_bytes; /**< from one row of a chroma plane to the next */
  int bt709;                     /**< for YUV formats; 0: BT.601, else BT.709 */
  int full_range;                /**< for YUV formats; 0: Y from 16 to 235, else 0 to 255 */
  /** The part of the image to use. crop_width 0: all of it. In YUV formats crop_left must be even; so must crop_top in planar
   * formats, and crop_width in YUYV. */
  int crop_left, crop_top, crop_width, crop_height;
} vitrine_image;

/** Sets the input to an image, resized and cropped as in the model's training. The caller may free the pixels afterwards. */
VITRINE_API vitrine_status vitrine_session_set_image(vitrine_session session, const vitrine_image* image);
/** Sets the input to a JPEG in memory, like vitrine_session_set_image(). Ignores its EXIF orientation. */
VITRINE_API vitrine_status vitrine_session_set_jpeg(vitrine_session session, const void* bytes, size_t size);
/** Sets the input to a photo: the path of a JPEG, PNG, BMP or PNM file. Applies the EXIF orientation. */
VITRINE_API vitrine_status vitrine_session_set_file(vitrine_session session, const char* path);
/** Sets the input to a photo, like vitrine_session_set_file(), from the contents of the file. */
VITRINE_API vitrine_status vitrine_session_set_photo(vitrine_session session, const void* bytes, size_t size);
/** Sets *data to the input, u8 [height, width, channels], and *bytes to its size, for callers that prepare it themselves. Write
 * it before every run. Valid until the session is closed. */
VITRINE_API vitrine_status vitrine_session_input(vitrine_session session, uint8_t** data, size_t* bytes);

/** A rectangle in an image, in fractions of its sides from the top left. */
typedef struct vitrine_region {
  double x, y, width, height;
} vitrine_region;
/** Sets *region to the part of an image of `width` x `height` pixels that the model receives, which is the area that an attention
 * map covers. It exceeds 0..1 when the input has a border around the image. It is the whole image when a side is not positive or
 * when the model's input is not an image. */
VITRINE_API vitrine_status vitrine_session_region_seen(vitrine_session session, int width, int height, vitrine_region* region);

/** Runs the model on the input. Does not allocate. */
VITRINE_API vitrine_status vitrine_session_run(vitrine_session session);
/** Runs the model and sets microseconds[i] to the time of operator i of the level. `count` must be the number of operators. */
VITRINE_API vitrine_status vitrine_session_profile(vitrine_session session, double* microseconds, size_t count);

/** Sets *data to the logits of the last run, one per class, and *count to their number. When the model has no classifier, *data
 * is null and *count 0. Valid until the next run or until the session is closed. */
VITRINE_API vitrine_status vitrine_session_logits(vitrine_session session, const float** data, size_t* count);
/** Sets *data to the classifier's input of the last run, or to the image's embedding when the model has no classifier, and *count
 * to its size. Valid as long as the logits. */
VITRINE_API vitrine_status vitrine_session_embedding(vitrine_session session, const float** data, size_t* count);
/** Sets *data to the patches of the last run after the last normalization, [grid_height * grid_width, D], and *count to their
 * size. *data is null at levels that merge tokens, and when the file was converted without --patch-features. Valid as long as the
 * logits. */
VITRINE_API vitrine_status vitrine_session_patch_features(vitrine_session session, const float** data, size_t* count);

/** A class and its probability. */
typedef struct vitrine_guess {
  int index;         /**< of the class */
  float probability; /**< from 0 to 1 */
} vitrine_guess;
/** Sets top[0] to top[*count - 1] to the most probable classes of the last run, the most probable first. *count is the smaller of
 * `capacity` and the number of classes. */
VITRINE_API vitrine_status vitrine_session_top(vitrine_session session, vitrine_guess* top, size_t capacity, size_t* count);

/** Which attention map a session computes. */
typedef enum vitrine_attention_map {
  VITRINE_ATTENTION_NONE = 0,
  VITRINE_ATTENTION_ROLLOUT = 1,   /**< how much each patch contributes to the output (Abnar and Zuidema 2020) */
  VITRINE_ATTENTION_LAST_BLOCK = 2 /**< the attention of the output's token in the last block, or of the attention pooling */
} vitrine_attention_map;
/** Selects the attention map that each run computes. A run then takes about a quarter longer; the logits stay the same. Fails
 * with VITRINE_INVALID_ARGUMENT when the session was created without vitrine_session_options.attention_map. */
VITRINE_API vitrine_status vitrine_session_set_attention_map(vitrine_session session, vitrine_attention_map kind);
/** Sets *data to the attention map of the last run, [grid_height, grid_width], and *count to its size. Values are at least 0, and
 * their sum is at most 1. *data is null when no map was selected. Valid as long as the logits. */
VITRINE_API vitrine_status vitrine_session_attention_map(vitrine_session session, const float** data, size_t* count);

#ifdef __cplusplus
}
#endif

#endif /* VITRINE_VITRINE_H_ */
