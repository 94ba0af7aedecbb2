# SPDX-License-Identifier: Apache-2.0
# 64-bit Android, with the compiler of the NDK that $ANDROID_NDK names.
if(NOT DEFINED ENV{ANDROID_NDK} OR NOT EXISTS "$ENV{ANDROID_NDK}/build/cmake/android.toolchain.cmake")
  message(FATAL_ERROR
    "The android-arm64 target needs Android's NDK (r25 or later): set ANDROID_NDK to its folder, "
    "the one that holds build/cmake/android.toolchain.cmake. It is now \"$ENV{ANDROID_NDK}\".")
endif()
set(ANDROID_ABI arm64-v8a)
set(ANDROID_PLATFORM android-26)
set(ANDROID_STL c++_static)
include($ENV{ANDROID_NDK}/build/cmake/android.toolchain.cmake)
