// SPDX-License-Identifier: Apache-2.0
// The native functions that android.graphics.Bitmap of API 24 calls, for the bitmaps of the tests:
// dev.vitrine.Bitmaps.
#include <jni.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace {

constexpr jint kRgb565 = 3, kArgb8888 = 5;  // values of Bitmap.Config

/// Rows have a few bytes of padding, as the rows of wide bitmaps may have.
struct Pixels {
  Pixels(int width, int height, jint config)
      : width(width), height(height), config(config), row_bytes(width * (config == kRgb565 ? 2 : 4) + 8) {
    bytes.resize(static_cast<size_t>(row_bytes) * static_cast<size_t>(height));
  }
  int width, height;
  jint config;
  int row_bytes;
  std::vector<uint8_t> bytes;
};

Pixels* Of(jlong pointer) { return reinterpret_cast<Pixels*>(static_cast<intptr_t>(pointer)); }
jlong New(int width, int height, jint config) {
  return static_cast<jlong>(reinterpret_cast<intptr_t>(new Pixels(width, height, config)));
}

}  // namespace

extern "C" {

/// Fills from pixels 0xAARRGGBB.
JNIEXPORT jlong JNICALL Java_dev_vitrine_Bitmaps_make(JNIEnv* env, jclass, jintArray colors, jint width,
                                                      jint height, jint config) {
  const jlong made = New(width, height, config);
  std::vector<jint> row(static_cast<size_t>(width));
  for (int y = 0; y < height; ++y) {
    env->GetIntArrayRegion(colors, y * width, width, row.data());
    if (env->ExceptionCheck()) return made;
    uint8_t* out = Of(made)->bytes.data() + y * Of(made)->row_bytes;
    for (int x = 0; x < width; ++x) {
      const auto color = static_cast<uint32_t>(row[static_cast<size_t>(x)]);
      const uint32_t red = color >> 16 & 255, green = color >> 8 & 255, blue = color & 255;
      if (config == kArgb8888) {
        const uint8_t rgba[] = {static_cast<uint8_t>(red), static_cast<uint8_t>(green),
                                static_cast<uint8_t>(blue), static_cast<uint8_t>(color >> 24)};
        std::memcpy(out + 4 * x, rgba, 4);
      } else {
        const uint16_t packed = static_cast<uint16_t>(red >> 3 << 11 | green >> 2 << 5 | blue >> 3);
        std::memcpy(out + 2 * x, &packed, 2);
      }
    }
  }
  return made;
}

JNIEXPORT void JNICALL Java_dev_vitrine_Bitmaps_free(JNIEnv*, jclass, jlong pixels) { delete Of(pixels); }

JNIEXPORT jint JNICALL Java_android_graphics_Bitmap_nativeConfig(JNIEnv*, jclass, jlong pixels) {
  return Of(pixels)->config;
}

JNIEXPORT jint JNICALL Java_android_graphics_Bitmap_nativeRowBytes(JNIEnv*, jclass, jlong pixels) {
  return Of(pixels)->row_bytes;
}

JNIEXPORT void JNICALL Java_android_graphics_Bitmap_nativeCopyPixelsToBuffer(JNIEnv* env, jclass,
                                                                             jlong pixels, jobject buffer) {
  std::memcpy(env->GetDirectBufferAddress(buffer), Of(pixels)->bytes.data(), Of(pixels)->bytes.size());
}

/// Converts from RGB_565 to ARGB_8888 only.
JNIEXPORT jobject JNICALL Java_android_graphics_Bitmap_nativeCopy(JNIEnv* env, jclass, jlong pixels,
                                                                  jint config, jboolean) {
  const Pixels& from = *Of(pixels);
  if (from.config != kRgb565 || config != kArgb8888) return nullptr;
  const jlong made = New(from.width, from.height, config);
  for (int y = 0; y < from.height; ++y) {
    uint8_t* out = Of(made)->bytes.data() + y * Of(made)->row_bytes;
    for (int x = 0; x < from.width; ++x, out += 4) {
      uint16_t packed;
      std::memcpy(&packed, from.bytes.data() + y * from.row_bytes + 2 * x, 2);
      const int red = packed >> 11, green = packed >> 5 & 63, blue = packed & 31;
      out[0] = static_cast<uint8_t>(red << 3 | red >> 2);
      out[1] = static_cast<uint8_t>(green << 2 | green >> 4);
      out[2] = static_cast<uint8_t>(blue << 3 | blue >> 2);
      out[3] = 255;
    }
  }
  jclass bitmaps = env->FindClass("dev/vitrine/Bitmaps");
  if (bitmaps == nullptr) return nullptr;
  jmethodID wrap = env->GetStaticMethodID(bitmaps, "wrap", "(JII)Landroid/graphics/Bitmap;");
  return wrap == nullptr ? nullptr
                         : env->CallStaticObjectMethod(bitmaps, wrap, made, from.width, from.height);
}

JNIEXPORT void JNICALL Java_android_graphics_Bitmap_nativeSetPremultiplied(JNIEnv*, jclass, jlong, jboolean) {
}

JNIEXPORT jboolean JNICALL Java_android_graphics_Bitmap_nativeRecycle(JNIEnv*, jclass, jlong pixels) {
  Of(pixels)->bytes = {};
  return JNI_TRUE;
}

}  // extern "C"
