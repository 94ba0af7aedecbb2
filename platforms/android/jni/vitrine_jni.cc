// SPDX-License-Identifier: Apache-2.0
// The native methods of dev.vitrine.Native. Each calls a function of vitrine.h.
#include <jni.h>
#include <vitrine/vitrine.h>

#include <cstdint>
#include <string>
#include <vector>

#include "platforms/android/jni/exceptions.h"
#include "platforms/android/jni/frames.h"

using vitrine_jni::BytesOf;
using vitrine_jni::Check;
using vitrine_jni::TextOf;
using vitrine_jni::Throw;

namespace {

vitrine_model ModelOf(jlong handle) { return reinterpret_cast<vitrine_model>(static_cast<intptr_t>(handle)); }
vitrine_session SessionOf(jlong handle) {
  return reinterpret_cast<vitrine_session>(static_cast<intptr_t>(handle));
}
template <typename Handle>
jlong LongOf(Handle handle) {
  return static_cast<jlong>(reinterpret_cast<intptr_t>(handle));
}

uint8_t* MemoryOf(JNIEnv* env, jobject buffer) {
  return static_cast<uint8_t*>(env->GetDirectBufferAddress(buffer));
}

/// Returns the description of a model. Throws on failure, and returns zeros.
vitrine_model_info InfoOf(JNIEnv* env, jlong model) {
  vitrine_model_info info = {};
  info.struct_size = sizeof info;
  Check(env, vitrine_model_describe(ModelOf(model), &info));
  return info;
}

using Result = vitrine_status (*)(vitrine_session, const float**, size_t*);

/// Returns a result of the last run as a new float[], or null when the model does not have it.
jfloatArray FloatsOf(JNIEnv* env, jlong session, Result result) {
  const float* data = nullptr;
  size_t count = 0;
  if (!Check(env, result(SessionOf(session), &data, &count)) || data == nullptr) return nullptr;
  jfloatArray floats = env->NewFloatArray(static_cast<jsize>(count));
  if (floats != nullptr) env->SetFloatArrayRegion(floats, 0, static_cast<jsize>(count), data);
  return floats;
}

/// The arguments of setFrame() and turnFrame().
struct Frame {
  vitrine_jni::Planes planes;
  vitrine_jni::Geometry geometry;
};

/// Sets *frame. Throws and returns false when the frame is invalid.
bool ReadFrame(JNIEnv* env, const jobject (&buffers)[3], jintArray positions, jintArray geometry,
               Frame* frame) {
  jint bounds[6];
  env->GetIntArrayRegion(positions, 0, 6, bounds);
  static_assert(sizeof frame->geometry == 11 * sizeof(jint));
  env->GetIntArrayRegion(geometry, 0, 11, reinterpret_cast<jint*>(&frame->geometry));
  if (env->ExceptionCheck()) return false;
  for (int i = 0; i < 3; ++i) {
    frame->planes.at[i] = MemoryOf(env, buffers[i]) + bounds[2 * i];
    frame->planes.bytes[i] = int64_t{bounds[2 * i + 1]} - bounds[2 * i];
  }
  const char* wrong = vitrine_jni::WhatIsWrong(frame->planes, frame->geometry);
  if (wrong == nullptr) return true;
  Throw(env, VITRINE_INVALID_ARGUMENT, wrong);
  return false;
}

}  // namespace

#define NATIVE(type, name) extern "C" JNIEXPORT type JNICALL Java_dev_vitrine_Native_##name

NATIVE(jstring, version)(JNIEnv* env, jclass) { return env->NewStringUTF(vitrine_version()); }

NATIVE(jstring, instructionSet)(JNIEnv* env, jclass) { return env->NewStringUTF(vitrine_instruction_set()); }

NATIVE(jlong, address)(JNIEnv* env, jclass, jobject buffer) { return LongOf(MemoryOf(env, buffer)); }

NATIVE(jlong, openFile)(JNIEnv* env, jclass, jbyteArray path) {
  vitrine_model model = nullptr;
  Check(env, vitrine_model_open(TextOf(env, path).c_str(), &model));
  return LongOf(model);
}

NATIVE(jlong, openBytes)(JNIEnv* env, jclass, jobject bytes, jint position, jint size) {
  vitrine_model model = nullptr;
  Check(env, vitrine_model_from_bytes(MemoryOf(env, bytes) + position, static_cast<size_t>(size), &model));
  return LongOf(model);
}

NATIVE(void, closeModel)(JNIEnv* env, jclass, jlong model) {
  Check(env, vitrine_model_close(ModelOf(model)));
}

NATIVE(jintArray, describe)(JNIEnv* env, jclass, jlong model) {
  const vitrine_model_info info = InfoOf(env, model);
  if (env->ExceptionCheck()) return nullptr;
  const jint values[] = {info.image_height, info.image_width, info.grid_height,
                         info.grid_width,   info.label_count, info.level_count};
  constexpr jsize kCount = sizeof values / sizeof values[0];
  jintArray array = env->NewIntArray(kCount);
  if (array != nullptr) env->SetIntArrayRegion(array, 0, kCount, values);
  return array;
}

NATIVE(jbyteArray, family)(JNIEnv* env, jclass, jlong model) {
  const vitrine_model_info info = InfoOf(env, model);
  return env->ExceptionCheck() ? nullptr : BytesOf(env, info.family);
}

NATIVE(jbyteArray, recipe)(JNIEnv* env, jclass, jlong model) {
  const vitrine_model_info info = InfoOf(env, model);
  return env->ExceptionCheck() ? nullptr : BytesOf(env, info.recipe);
}

NATIVE(jbyteArray, label)(JNIEnv* env, jclass, jlong model, jint index) {
  return BytesOf(env, vitrine_model_label(ModelOf(model), index));
}

NATIVE(jlong, createSession)
(JNIEnv* env, jclass, jlong model, jint threads, jbyteArray packed_weights, jboolean attention_map) {
  const std::string packed = TextOf(env, packed_weights);
  vitrine_session_options options = {};
  options.struct_size = sizeof options;
  options.thread_count = threads;
  options.packed_weights = packed_weights == nullptr ? nullptr : packed.c_str();
  options.attention_map = attention_map;
  vitrine_session session = nullptr;
  Check(env, vitrine_session_create(ModelOf(model), &options, &session));
  return LongOf(session);
}

NATIVE(void, closeSession)(JNIEnv* env, jclass, jlong session) {
  Check(env, vitrine_session_close(SessionOf(session)));
}

NATIVE(void, setLevel)(JNIEnv* env, jclass, jlong session, jint level) {
  Check(env, vitrine_session_set_level(SessionOf(session), level));
}

NATIVE(void, setAttentionMap)(JNIEnv* env, jclass, jlong session, jint kind) {
  Check(env, vitrine_session_set_attention_map(SessionOf(session), static_cast<vitrine_attention_map>(kind)));
}

NATIVE(void, setFile)(JNIEnv* env, jclass, jlong session, jbyteArray path) {
  Check(env, vitrine_session_set_file(SessionOf(session), TextOf(env, path).c_str()));
}

NATIVE(void, setJpeg)(JNIEnv* env, jclass, jlong session, jbyteArray jpeg) {
  jbyte* bytes = env->GetByteArrayElements(jpeg, nullptr);
  if (bytes == nullptr) return;
  const size_t size = static_cast<size_t>(env->GetArrayLength(jpeg));
  const vitrine_status status = vitrine_session_set_jpeg(SessionOf(session), bytes, size);
  env->ReleaseByteArrayElements(jpeg, bytes, JNI_ABORT);
  Check(env, status);
}

NATIVE(void, setRgba)
(JNIEnv* env, jclass, jlong session, jobject pixels, jint width, jint height, jint stride) {
  vitrine_image image = {};
  image.struct_size = sizeof image;
  image.pixels = MemoryOf(env, pixels);
  image.width = width;
  image.height = height;
  image.stride_bytes = stride;
  image.format = VITRINE_RGBA8;
  Check(env, vitrine_session_set_image(SessionOf(session), &image));
}

NATIVE(void, setFrame)
(JNIEnv* env, jclass, jlong session, jobject y, jobject u, jobject v, jintArray positions,
 jintArray geometry) {
  Frame frame;
  if (!ReadFrame(env, {y, u, v}, positions, geometry, &frame)) return;
  const vitrine_image image = vitrine_jni::ImageOf(frame.planes, frame.geometry);
  Check(env, vitrine_session_set_image(SessionOf(session), &image));
}

NATIVE(void, turnFrame)
(JNIEnv* env, jclass, jobject y, jobject u, jobject v, jintArray positions, jintArray geometry, jint degrees,
 jobject out) {
  Frame frame;
  if (!ReadFrame(env, {y, u, v}, positions, geometry, &frame)) return;
  const auto& g = frame.geometry;
  const int64_t chroma = int64_t{(g.crop_width + 1) / 2} * ((g.crop_height + 1) / 2);
  if (env->GetDirectBufferCapacity(out) < int64_t{g.crop_width} * g.crop_height + 2 * chroma)
    return Throw(env, VITRINE_INVALID_ARGUMENT, "the memory to turn a frame in is too small");
  vitrine_jni::Turn(frame.planes, frame.geometry, degrees, MemoryOf(env, out));
}

NATIVE(void, run)(JNIEnv* env, jclass, jlong session) { Check(env, vitrine_session_run(SessionOf(session))); }

NATIVE(jfloatArray, logits)(JNIEnv* env, jclass, jlong session) {
  return FloatsOf(env, session, vitrine_session_logits);
}

NATIVE(jfloatArray, embedding)(JNIEnv* env, jclass, jlong session) {
  return FloatsOf(env, session, vitrine_session_embedding);
}

NATIVE(jfloatArray, attentionMap)(JNIEnv* env, jclass, jlong session) {
  return FloatsOf(env, session, vitrine_session_attention_map);
}

NATIVE(jfloatArray, regionSeen)(JNIEnv* env, jclass, jlong session, jint width, jint height) {
  vitrine_region region = {};
  if (!Check(env, vitrine_session_region_seen(SessionOf(session), width, height, &region))) return nullptr;
  const jfloat sides[] = {static_cast<jfloat>(region.x), static_cast<jfloat>(region.y),
                          static_cast<jfloat>(region.width), static_cast<jfloat>(region.height)};
  jfloatArray array = env->NewFloatArray(4);
  if (array != nullptr) env->SetFloatArrayRegion(array, 0, 4, sides);
  return array;
}

NATIVE(jint, top)(JNIEnv* env, jclass, jlong session, jintArray indices, jfloatArray probabilities) {
  std::vector<vitrine_guess> guesses(static_cast<size_t>(env->GetArrayLength(indices)));
  size_t count = 0;
  if (!Check(env, vitrine_session_top(SessionOf(session), guesses.data(), guesses.size(), &count))) return 0;
  for (size_t i = 0; i < count; ++i) {
    const jint index = guesses[i].index;
    env->SetIntArrayRegion(indices, static_cast<jsize>(i), 1, &index);
    env->SetFloatArrayRegion(probabilities, static_cast<jsize>(i), 1, &guesses[i].probability);
  }
  return static_cast<jint>(count);
}
