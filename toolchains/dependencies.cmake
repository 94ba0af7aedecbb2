# SPDX-License-Identifier: Apache-2.0
# Makes every dependency a target: fetches the sources that are not there yet, compiles those that need it, once per
# system and compiler, and leaves both in .deps (or $VITRINE_DEPS_DIR) for all build folders to share.
#
#   XNNPACK::XNNPACK  highway  flatbuffers  stb                       the runtime's
#   nlohmann_json  protozero  CLI11  cpp_httplib  unzip               the converter's and the commands'
#   Catch2::Catch2WithMain                                            the tests'

if(DEFINED ENV{VITRINE_DEPS_DIR})
  set(VITRINE_DEPS_DIR $ENV{VITRINE_DEPS_DIR} CACHE PATH "Sources and builds of the dependencies")
else()
  set(VITRINE_DEPS_DIR ${PROJECT_SOURCE_DIR}/.deps CACHE PATH "Sources and builds of the dependencies")
endif()
set(deps_source ${VITRINE_DEPS_DIR}/src)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/toolchains/dependencies.lock
  ${PROJECT_SOURCE_DIR}/toolchains/third_party/CMakeLists.txt)

execute_process(
  COMMAND ${CMAKE_COMMAND} -E env VITRINE_DEPS_DIR=${VITRINE_DEPS_DIR}
    ${PROJECT_SOURCE_DIR}/toolchains/dependencies.sh
  COMMAND_ERROR_IS_FATAL ANY)

# Which instruction sets Highway compiles for. Kernels and dispatch must agree, so this stands once.
# SVE doubles the size of every kernel and no board that we know gains from it; on x86, the sets between those kept
# are what nobody's machine stops at.
set(VITRINE_HIGHWAY_DEFINITIONS
  "HWY_DISABLED_TARGETS=(HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128|HWY_SSSE3|HWY_AVX3_ZEN4|HWY_AVX3_SPR)")

# One build folder per system, processor and compiler. Another compiler than our own can be named: its libraries link
# with ours, and a second compiler's check of our code then needs no second XNNPACK.
set(VITRINE_THIRD_PARTY_COMPILER "" CACHE STRING "C compiler for the dependencies, where it is not our own (gcc)")
string(TOLOWER ${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR} deps_key)
if(VITRINE_THIRD_PARTY_COMPILER)
  string(REPLACE gcc g++ deps_cxx ${VITRINE_THIRD_PARTY_COMPILER})
  execute_process(COMMAND ${VITRINE_THIRD_PARTY_COMPILER} -dumpfullversion
    OUTPUT_VARIABLE deps_version OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  string(APPEND deps_key -gnu-${deps_version})
  set(deps_compilers -DCMAKE_C_COMPILER=${VITRINE_THIRD_PARTY_COMPILER} -DCMAKE_CXX_COMPILER=${deps_cxx})
else()
  string(TOLOWER ${CMAKE_C_COMPILER_ID} deps_id)
  string(APPEND deps_key -${deps_id}-${CMAKE_C_COMPILER_VERSION})
  set(deps_compilers -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER} -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER})
endif()
set(deps_build ${VITRINE_DEPS_DIR}/build/${deps_key})
file(MAKE_DIRECTORY ${deps_build}/project)

# The project that builds them, copied there, so that it depends on no clone.
file(COPY_FILE ${PROJECT_SOURCE_DIR}/toolchains/third_party/CMakeLists.txt ${deps_build}/project/CMakeLists.txt
  ONLY_IF_DIFFERENT)
if(CMAKE_TOOLCHAIN_FILE)
  file(COPY_FILE ${CMAKE_TOOLCHAIN_FILE} ${deps_build}/project/toolchain.cmake ONLY_IF_DIFFERENT)
  set(deps_compilers -DCMAKE_TOOLCHAIN_FILE=${deps_build}/project/toolchain.cmake)
  foreach(choice ANDROID_NDK ANDROID_ABI ANDROID_PLATFORM ANDROID_STL)
    if(${choice})
      list(APPEND deps_compilers -D${choice}=${${choice}})
    endif()
  endforeach()
endif()

# Builds the targets of third_party/ that are named, unless they were built before from the same lines of the lock.
function(vitrine_build_dependencies title)
  file(STRINGS ${PROJECT_SOURCE_DIR}/toolchains/dependencies.lock lock
    REGEX "^(xnnpack|pthreadpool|cpuinfo|fp16|fxdiv|highway|zlib|catch2) ")
  file(SHA256 ${deps_build}/project/CMakeLists.txt project)
  set(toolchain)
  if(CMAKE_TOOLCHAIN_FILE)
    file(SHA256 ${CMAKE_TOOLCHAIN_FILE} toolchain)
  endif()
  string(SHA256 made_from "${lock} ${project} ${toolchain} ${VITRINE_HIGHWAY_DEFINITIONS}")
  list(GET ARGN 0 first)
  set(stamp ${deps_build}/${first}.stamp)
  file(LOCK ${deps_build} DIRECTORY GUARD FUNCTION)
  if(EXISTS ${stamp})
    file(READ ${stamp} made)
    if(made STREQUAL made_from)
      return()
    endif()
  endif()
  file(REMOVE ${deps_build}/CMakeCache.txt)  # of another lock, perhaps
  message(STATUS "Building ${title} in ${deps_build}, which is done once")
  execute_process(
    COMMAND ${CMAKE_COMMAND} -S ${deps_build}/project -B ${deps_build} -G Ninja
      -DCMAKE_BUILD_TYPE=Release ${deps_compilers} -DVITRINE_DEPS_DIR=${VITRINE_DEPS_DIR}
      -DVITRINE_HIGHWAY_DEFINITIONS=${VITRINE_HIGHWAY_DEFINITIONS}
    OUTPUT_FILE ${deps_build}/configure.log ERROR_FILE ${deps_build}/configure.log RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "${title} cannot be configured: see ${deps_build}/configure.log")
  endif()
  execute_process(
    COMMAND ${CMAKE_COMMAND} --build ${deps_build} --target ${ARGN}
    COMMAND ${PROJECT_SOURCE_DIR}/toolchains/progress.sh ${deps_build}/build.log "   ${title}"
    RESULTS_VARIABLE results)
  list(GET results 0 failed)
  if(failed)
    message(FATAL_ERROR "${title} cannot be built: see the end of ${deps_build}/build.log")
  endif()
  file(WRITE ${stamp} ${made_from})
endfunction()

vitrine_build_dependencies("XNNPACK, Highway and unzip" XNNPACK microkernels-prod pthreadpool cpuinfo hwy unzip)
if(VITRINE_BUILD_TESTS)
  vitrine_build_dependencies("Catch2" Catch2WithMain)
endif()

find_package(Threads REQUIRED)

function(vitrine_import name)
  cmake_parse_arguments(import "" "" "INCLUDE;LINK;DEFINE" ${ARGN})
  add_library(${name} INTERFACE IMPORTED)
  list(TRANSFORM import_INCLUDE PREPEND ${deps_source}/)
  target_include_directories(${name} SYSTEM INTERFACE ${import_INCLUDE})
  target_link_libraries(${name} INTERFACE ${import_LINK})
  target_compile_definitions(${name} INTERFACE ${import_DEFINE})
endfunction()

# Of what the runtime links, the archives.
set(VITRINE_ARCHIVES
  ${deps_build}/xnnpack/libXNNPACK.a ${deps_build}/xnnpack/libmicrokernels-prod.a
  ${deps_build}/pthreadpool/libpthreadpool.a ${deps_build}/cpuinfo/libcpuinfo.a ${deps_build}/libhwy.a)
vitrine_import(XNNPACK::XNNPACK
  INCLUDE xnnpack/include pthreadpool/include cpuinfo/include
  LINK
    ${deps_build}/xnnpack/libXNNPACK.a
    ${deps_build}/xnnpack/libmicrokernels-prod.a
    ${deps_build}/pthreadpool/libpthreadpool.a
    ${deps_build}/cpuinfo/libcpuinfo.a
    Threads::Threads m)
vitrine_import(highway INCLUDE highway LINK ${deps_build}/libhwy.a DEFINE ${VITRINE_HIGHWAY_DEFINITIONS})
# Constants are aligned to a cache line, 64 bytes; FlatBuffers' builder asserts at most 32 unless told.
vitrine_import(flatbuffers INCLUDE flatbuffers/include DEFINE FLATBUFFERS_MAX_ALIGNMENT=64)
vitrine_import(stb INCLUDE stb)
vitrine_import(nlohmann_json INCLUDE nlohmann_json/include)
vitrine_import(protozero INCLUDE protozero/include)
vitrine_import(CLI11 INCLUDE cli11/include)
vitrine_import(cpp_httplib INCLUDE cpp_httplib LINK Threads::Threads)
vitrine_import(unzip INCLUDE zlib zlib/contrib/minizip LINK ${deps_build}/libunzip.a)
if(VITRINE_BUILD_TESTS)
  vitrine_import(Catch2::Catch2WithMain
    INCLUDE catch2/src ../build/${deps_key}/catch2/generated-includes
    LINK ${deps_build}/catch2/src/libCatch2Main.a ${deps_build}/catch2/src/libCatch2.a)
  list(APPEND CMAKE_MODULE_PATH ${deps_source}/catch2/extras)
endif()
