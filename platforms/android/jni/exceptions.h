// SPDX-License-Identifier: Apache-2.0
// Throws dev.vitrine.VitrineException, and converts between byte arrays of Java and strings.
#pragma once

#include <jni.h>
#include <vitrine/vitrine.h>

#include <string>

namespace vitrine_jni {

/// Throws VitrineException with `status` and `message`, unless an exception is pending.
void Throw(JNIEnv* env, vitrine_status status, const char* message);

/// Returns whether `status` is VITRINE_OK. Otherwise throws, with the message of vitrine_last_error().
bool Check(JNIEnv* env, vitrine_status status);

/// Returns text in UTF-8 as a new byte[]. Throws and returns null when out of memory.
jbyteArray BytesOf(JNIEnv* env, const char* text);

/// Returns the text of a byte[], or "" for null.
std::string TextOf(JNIEnv* env, jbyteArray bytes);

}  // namespace vitrine_jni
