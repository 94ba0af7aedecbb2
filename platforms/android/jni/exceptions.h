// SPDX-License-Identifier: Apache-2.0
// Failures as dev.vitrine.VitrineException, and what a call lends of Java's arrays.
#pragma once

#include <jni.h>
#include <vitrine/vitrine.h>

#include <string>

namespace vitrine_jni {

/// Throws VitrineException with `message`.
void Throw(JNIEnv* env, vitrine_status status, const char* message);

/// False, with an exception thrown, where `status` is a failure: its message is vitrine_last_error().
bool Check(JNIEnv* env, vitrine_status status);

/// Text in UTF-8 as a new byte[]; null with an exception thrown when there is no memory.
jbyteArray BytesOf(JNIEnv* env, const char* text);

/// The text of a byte[]; "" for null.
std::string TextOf(JNIEnv* env, jbyteArray bytes);

}  // namespace vitrine_jni
