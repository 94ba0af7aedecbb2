// SPDX-License-Identifier: Apache-2.0
#include "platforms/android/jni/exceptions.h"

#include <cstring>

namespace vitrine_jni {

void Throw(JNIEnv* env, vitrine_status status, const char* message) {
  if (env->ExceptionCheck()) return;
  jclass type = env->FindClass("dev/vitrine/VitrineException");
  if (type == nullptr) return;
  jmethodID of = env->GetStaticMethodID(type, "of", "(I[B)Ldev/vitrine/VitrineException;");
  jbyteArray text = of == nullptr ? nullptr : BytesOf(env, message);
  if (text == nullptr) return;
  jobject exception = env->CallStaticObjectMethod(type, of, static_cast<jint>(status), text);
  if (!env->ExceptionCheck()) env->Throw(static_cast<jthrowable>(exception));
}

bool Check(JNIEnv* env, vitrine_status status) {
  if (status == VITRINE_OK) return true;
  Throw(env, status, vitrine_last_error());
  return false;
}

jbyteArray BytesOf(JNIEnv* env, const char* text) {
  const jsize size = static_cast<jsize>(std::strlen(text));
  jbyteArray bytes = env->NewByteArray(size);
  if (bytes != nullptr) env->SetByteArrayRegion(bytes, 0, size, reinterpret_cast<const jbyte*>(text));
  return bytes;
}

std::string TextOf(JNIEnv* env, jbyteArray bytes) {
  if (bytes == nullptr) return {};
  std::string text(static_cast<size_t>(env->GetArrayLength(bytes)), '\0');
  env->GetByteArrayRegion(bytes, 0, static_cast<jsize>(text.size()), reinterpret_cast<jbyte*>(text.data()));
  return text;
}

}  // namespace vitrine_jni
