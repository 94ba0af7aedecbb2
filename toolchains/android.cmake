# SPDX-License-Identifier: Apache-2.0
# Android, with the compiler of the NDK that ANDROID_NDK names: arm64-v8a, or the ANDROID_ABI that is set.
if(NOT ANDROID_NDK)
  set(ANDROID_NDK $ENV{ANDROID_NDK})
endif()
if(NOT EXISTS "${ANDROID_NDK}/build/cmake/android.toolchain.cmake")
  message(FATAL_ERROR
    "Android targets need Android's NDK (r27 or later): set ANDROID_NDK to its folder, "
    "the one that holds build/cmake/android.toolchain.cmake. It is now \"${ANDROID_NDK}\".")
endif()
if(NOT ANDROID_ABI)
  set(ANDROID_ABI arm64-v8a)
endif()
if(NOT ANDROID_PLATFORM)
  set(ANDROID_PLATFORM android-24)
endif()
if(NOT ANDROID_STL)
  set(ANDROID_STL c++_static)
endif()
include(${ANDROID_NDK}/build/cmake/android.toolchain.cmake)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ANDROID_NDK)
# As in arm-linux-gnueabihf.cmake: Cortex-A7 and later.
if(ANDROID_ABI STREQUAL "armeabi-v7a")
  add_compile_options(-mfpu=neon-vfpv4)
endif()
