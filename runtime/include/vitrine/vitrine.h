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
 *       printf("%s %.1f %%\n", label, 100 * best.probability);
 *       vitrine_session_close(session);
 *       vitrine_model_close(model);
 *       return 0;
 *     }
 *
 * Every function that can fail returns a vitrine_status: 0, or what went wrong, and then vitrine_last_error() says it in a line.
 * Nothing prints, throws or aborts. Null pointers, sizes that do not fit and handles that were closed or never opened give
 * VITRINE_INVALID_ARGUMENT, a session that another thread is using VITRINE_BUSY. At most 4096 handles of a kind are open.
 *
 * Threads: models may be used from any thread at once, a session from one at a time. Stability: what stands here keeps its
 * meaning and its binary form within a major version; structures begin with their size so that they can grow. */
#ifndef VITRINE_VITRINE_H_
#define VITRINE_VITRINE_H_

#include <stddef.h>
#include <stdint.h>

#include "vitrine/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The version of this interface; a library of the same major version has all that a lower minor one has. */
#define VITRINE_C_API_MAJOR 1
#define VITRINE_C_API_MINOR 0

typedef enum vitrine_status {
  VITRINE_OK = 0,
  VITRINE_INVALID_ARGUMENT = 1,  /**< a value is null, out of range, of the wrong size, or a handle that is not open */
  VITRINE_NOT_FOUND = 2,         /**< a file or folder is not there or cannot be opened or written */
  VITRINE_INVALID_MODEL = 3,     /**< a model file is damaged */
  VITRINE_UNSUPPORTED_MODEL = 4, /**< a model file of another major version, or one that needs what this build has not */
  VITRINE_INVALID_IMAGE = 5,     /**< bytes that are no image, or a damaged one */
  VITRINE_ARENA_TOO_SMALL = 6,   /**< the message says how many bytes are needed */
  VITRINE_OUT_OF_MEMORY = 7,
  VITRINE_UNSUPPORTED_CPU = 8, /**< the processor lacks NEON, or SSE4.1 */
  VITRINE_INTERNAL = 9,
  VITRINE_BUSY = 10 /**< another thread is in a call on this session */
} vitrine_status;

/** Handles. Zero is none. A handle that was closed is never given out again, so that using it is an error and nothing worse. */
typedef struct vitrine_model_handle* vitrine_model;
typedef struct vitrine_session_handle* vitrine_session;
typedef struct vitrine_pool_handle* vitrine_pool;

/** "0.1.0". Static. */
VITRINE_API const char* vitrine_version(void);
/** VITRINE_C_API_MAJOR * 1000 + VITRINE_C_API_MINOR of the library that runs. */
VITRINE_API int vitrine_c_api_version(void);
/** The kernels in use: "NEON", "AVX3_DL", ... Static. */
VITRINE_API const char* vitrine_instruction_set(void);
/** One line about the last call in this thread that failed; "" before the first. Valid until the next that fails in this thread. */
VITRINE_API const char* vitrine_last_error(void);

typedef enum vitrine_log_level { VITRINE_LOG_INFO = 0, VITRINE_LOG_WARNING = 1 } vitrine_log_level;
/** Told what is no failure but worth knowing, such as packed weights that could not be kept. From any thread. */
typedef void (*vitrine_log_function)(void* context, vitrine_log_level level, const char* message);
/** From now on `function` is told; null: nobody, as at the start. Call it while no other call runs. */
VITRINE_API void vitrine_set_log(vitrine_log_function function, void* context);

/** Where arenas and packed weights come from, `alignment` a power of two; null where there is no more. From any thread. */
typedef void* (*vitrine_allocate_function)(void* context, size_t bytes, size_t alignment);
typedef void (*vitrine_free_function)(void* context, void* memory);
/** Sets both, or neither where both are null: the system's then. Fails with VITRINE_INVALID_ARGUMENT once a model was opened. */
VITRINE_API vitrine_status vitrine_set_allocator(vitrine_allocate_function allocate, vitrine_free_function release, void* context);

/* ---- models ---------------------------------------------------------------------------------------------------------- */

/** Maps and verifies a file. *model is 0 after a failure. */
VITRINE_API vitrine_status vitrine_model_open(const char* path, vitrine_model* model);
/** The same for `size` bytes in memory, 64-byte aligned, which must stay as they are until model and sessions are closed. */
VITRINE_API vitrine_status vitrine_model_from_bytes(const void* bytes, size_t size, vitrine_model* model);
/** Closes the handle. Its sessions go on. */
VITRINE_API vitrine_status vitrine_model_close(vitrine_model model);

/** What a model says of itself. Strings live as long as the model or one of its sessions is open. */
typedef struct vitrine_model_info {
  size_t struct_size; /**< sizeof(vitrine_model_info), set by the caller */
  int format_major, format_minor;
  const char *family, *recipe;
  int image_height, image_width, image_channels; /**< of the input, pixels; zeros where the input is no image */
  int grid_height, grid_width;                   /**< patches; zeros where it has none */
  int64_t tokens, macs, parameters;
  size_t file_bytes;
  int label_count, level_count, operator_count; /**< operators of level 0 */
  float sqnr_db, agreement; /**< measured by the converter against f32: decibels, fraction of the images with the same class */
} vitrine_model_info;
/** Fills in what the caller's struct_size has room for. */
VITRINE_API vitrine_status vitrine_model_describe(vitrine_model model, vitrine_model_info* info);
/** The name of a class; "" where there is none. Lives as long as the model or one of its sessions is open. */
VITRINE_API const char* vitrine_model_label(vitrine_model model, int index);

/** An operator, as vitrine_session_profile() times it. */
typedef struct vitrine_operator_info {
  size_t struct_size;
  const char *name, *kind, *type; /**< "block 7 fc1", "Linear", "qd8_f32_qc8w" */
  int64_t rows, columns, macs;
} vitrine_operator_info;
/** Operator `index` of a level, in the order in which they run. VITRINE_INVALID_ARGUMENT where there is none. */
VITRINE_API vitrine_status vitrine_model_operator(vitrine_model model, int level, int index, vitrine_operator_info* info);

/* ---- sessions -------------------------------------------------------------------------------------------------------- */

/** Threads that several sessions share; `threads` with the caller's, 1 to 256. Close it any time: sessions keep it. */
VITRINE_API vitrine_status vitrine_pool_create(int threads, vitrine_pool* pool);
/** Closes the handle; the threads end with the last session that uses them. */
VITRINE_API vitrine_status vitrine_pool_close(vitrine_pool pool);

typedef struct vitrine_session_options {
  size_t struct_size;         /**< sizeof(vitrine_session_options) */
  int thread_count;           /**< the caller's included; 0: as many as processors that it may run on */
  vitrine_pool pool;          /**< threads to share, in the place of thread_count; 0: its own */
  void* arena;                /**< memory for activations, 64-byte aligned, until the session is closed; null: its own */
  size_t arena_bytes;         /**< of it */
  const char* packed_weights; /**< file that keeps packed weights between starts; null: none */
  int attention_map;          /**< not 0: reserve what vitrine_session_set_attention_map() needs */
} vitrine_session_options;

/** Packs weights, plans the arena, starts the threads: all that a session ever allocates, but for pictures of another size.
 * `options` may be null: one thread and memory of its own. Any number of sessions share a model. */
VITRINE_API vitrine_status vitrine_session_create(vitrine_model model, const vitrine_session_options* options,
                                                  vitrine_session* session);
/** VITRINE_BUSY while another thread is in a call on it. */
VITRINE_API vitrine_status vitrine_session_close(vitrine_session session);
/** Bytes of the arena; 0 where the handle is not open. */
VITRINE_API size_t vitrine_session_arena_bytes(vitrine_session session);

/** The level of a model that merges tokens, 0 to level_count - 1; more is faster. Set the input again afterwards. */
VITRINE_API vitrine_status vitrine_session_set_level(vitrine_session session, int level);

typedef enum vitrine_format {
  VITRINE_RGB8 = 0,
  VITRINE_BGR8 = 1,
  VITRINE_RGBA8 = 2, /**< alpha is dropped */
  VITRINE_GRAY8 = 3,
  VITRINE_YUYV8 = 4, /**< Y, U, Y, V for two pixels */
  VITRINE_NV12 = 5,  /**< a plane of Y, one of U and V by turns, half as wide and high: chroma[0] */
  VITRINE_I420 = 6,  /**< a plane of Y, one of U, one of V: chroma[0], chroma[1] */
  VITRINE_NV21 = 7   /**< as NV12, with V before U */
} vitrine_format;

/** Pixels of the caller's, 8 bits a sample, rows from the top down. */
typedef struct vitrine_image {
  size_t struct_size; /**< sizeof(vitrine_image) */
  const uint8_t* pixels;
  int width, height;      /**< pixels */
  ptrdiff_t stride_bytes; /**< from a row to the next; negative where they are stored from the bottom up */
  vitrine_format format;
  const uint8_t* chroma[2]; /**< NV12, NV21, I420 */
  ptrdiff_t chroma_stride_bytes;
  int bt709;      /**< YUV formats: 0: BT.601; else BT.709 */
  int full_range; /**< YUV formats: 0: Y from 16 to 235; else 0 to 255 */
  /** The part to look at; a width of 0: all. In YUV formats even numbers, and for YUYV an even left and width. */
  int crop_left, crop_top, crop_width, crop_height;
} vitrine_image;

/** Resizes and crops as the model's training did. The pixels may go afterwards. */
VITRINE_API vitrine_status vitrine_session_set_image(vitrine_session session, const vitrine_image* image);
/** The same for a JPEG in memory. Its EXIF orientation is not looked at. */
VITRINE_API vitrine_status vitrine_session_set_jpeg(vitrine_session session, const void* bytes, size_t size);
/** The same for a photo's file: JPEG, PNG, BMP or PNM, turned upright. */
VITRINE_API vitrine_status vitrine_session_set_file(vitrine_session session, const char* path);
/** The same for such a file's bytes. */
VITRINE_API vitrine_status vitrine_session_set_photo(vitrine_session session, const void* bytes, size_t size);
/** The input itself, u8 [height, width, channels], for callers that prepare it: write to *data before every run. */
VITRINE_API vitrine_status vitrine_session_input(vitrine_session session, uint8_t** data, size_t* bytes);

/** A rectangle in a picture, in fractions of its sides from the top left. */
typedef struct vitrine_region {
  double x, y, width, height;
} vitrine_region;
/** What vitrine_session_set_image() shows the model of a picture of that size in pixels, where maps of patches lie: beyond 0..1
 * where the input has a border around the picture; all of it where a side is not positive or the input is no image. */
VITRINE_API vitrine_status vitrine_session_region_seen(vitrine_session session, int width, int height, vitrine_region* region);

/** Runs the model on the input. Does not allocate. */
VITRINE_API vitrine_status vitrine_session_run(vitrine_session session);
/** The same, and sets microseconds[i] to what operator i of the level took; `count` must be their number. */
VITRINE_API vitrine_status vitrine_session_profile(vitrine_session session, double* microseconds, size_t count);

/** Results of the last run: *data has *count values, or is null where the model has no such output. Valid until the next run or
 * the session is closed. Logits: one a class. Embedding: what the classifier reads, or the image's embedding. */
VITRINE_API vitrine_status vitrine_session_logits(vitrine_session session, const float** data, size_t* count);
VITRINE_API vitrine_status vitrine_session_embedding(vitrine_session session, const float** data, size_t* count);
/** Features of the patches, [grid_height * grid_width, *count / that], of files converted with --patch-features. */
VITRINE_API vitrine_status vitrine_session_patch_features(vitrine_session session, const float** data, size_t* count);

typedef struct vitrine_guess {
  int index; /**< of the class */
  float probability;
} vitrine_guess;
/** The most probable classes of the last run, most probable first: *count of them, at most `capacity` and the number of classes. */
VITRINE_API vitrine_status vitrine_session_top(vitrine_session session, vitrine_guess* top, size_t capacity, size_t* count);

typedef enum vitrine_attention_map {
  VITRINE_ATTENTION_NONE = 0,
  VITRINE_ATTENTION_ROLLOUT = 1,   /**< how much of the output comes from each patch (Abnar and Zuidema 2020) */
  VITRINE_ATTENTION_LAST_BLOCK = 2 /**< what the class token attends to in the last block */
} vitrine_attention_map;
/** What the next runs are to tell; for a quarter of their time more. Logits stay the same. */
VITRINE_API vitrine_status vitrine_session_set_attention_map(vitrine_session session, vitrine_attention_map kind);
/** [grid_height, grid_width], each at least 0, their sum at most 1; null where it was not asked for. */
VITRINE_API vitrine_status vitrine_session_attention_map(vitrine_session session, const float** data, size_t* count);

#ifdef __cplusplus
}
#endif

#endif /* VITRINE_VITRINE_H_ */
