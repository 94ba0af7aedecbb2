# SPDX-License-Identifier: Apache-2.0
# Makes every dependency a target. Fetches the sources with dependencies.sh and compiles third_party/ once per system and
# compiler. Both stay in .deps (or $VITRINE_DEPS_DIR), which all build folders share.

if(DEFINED ENV{VITRINE_DEPS_DIR})
  set(VITRINE_DEPS_DIR $ENV{VITRINE_DEPS_DIR} CACHE PATH "Sources and builds of the dependencies")
else()
  set(VITRINE_DEPS_DIR ${PROJECT_SOURCE_DIR}/.deps CACHE PATH "Sources and builds of the dependencies")
endif()
set(VITRINE_THIRD_PARTY_COMPILER "" CACHE STRING "C compiler for the dependencies (gcc), if not ours")
set(deps_source ${VITRINE_DEPS_DIR}/src)
set(deps_project ${PROJECT_SOURCE_DIR}/toolchains/third_party)
set(deps_lock ${PROJECT_SOURCE_DIR}/toolchains/dependencies.lock)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${deps_lock} ${deps_project}/CMakeLists.txt)

execute_process(
  COMMAND ${CMAKE_COMMAND} -E env VITRINE_DEPS_DIR=${VITRINE_DEPS_DIR}
    ${PROJECT_SOURCE_DIR}/toolchains/dependencies.sh
  COMMAND_ERROR_IS_FATAL ANY)

# The instruction sets that Highway compiles for; kernels and dispatch must use the same list. SVE doubles the size of
# every kernel and makes none of the boards that we know faster. On x86, few CPUs stop at one of the disabled sets.
set(VITRINE_HIGHWAY_DEFINITIONS
  "HWY_DISABLED_TARGETS=(HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128|HWY_SSSE3|HWY_AVX3_ZEN4|HWY_AVX3_SPR)")

# One build folder per system, CPU architecture and compiler.
string(TOLOWER ${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR}-${CMAKE_C_COMPILER_ID}-${CMAKE_C_COMPILER_VERSION} deps_key)
set(deps_options -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER} -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER})
if(CMAKE_TOOLCHAIN_FILE)
  set(deps_options -DCMAKE_TOOLCHAIN_FILE=${CMAKE_TOOLCHAIN_FILE})
  foreach(choice ANDROID_NDK ANDROID_ABI ANDROID_PLATFORM ANDROID_STL)
    if(${choice})
      list(APPEND deps_options -D${choice}=${${choice}})
    endif()
  endforeach()
elseif(VITRINE_THIRD_PARTY_COMPILER)  # its libraries link with ours, so a second compiler needs no second XNNPACK
  execute_process(COMMAND ${VITRINE_THIRD_PARTY_COMPILER} -dumpfullversion
    OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  string(TOLOWER ${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR}-gnu-${version} deps_key)
  string(REPLACE gcc g++ cxx ${VITRINE_THIRD_PARTY_COMPILER})
  set(deps_options -DCMAKE_C_COMPILER=${VITRINE_THIRD_PARTY_COMPILER} -DCMAKE_CXX_COMPILER=${cxx})
endif()
set(deps_build ${VITRINE_DEPS_DIR}/build/${deps_key})
file(MAKE_DIRECTORY ${deps_build})

# Builds the given targets of third_party/. Skips this if the stamp of the first target has the checksum of all inputs.
function(vitrine_build_dependencies title)
  file(STRINGS ${deps_lock} inputs REGEX "^(xnnpack|pthreadpool|cpuinfo|fp16|fxdiv|highway|zlib|catch2) ")
  foreach(file ${deps_project}/CMakeLists.txt ${CMAKE_TOOLCHAIN_FILE})
    file(SHA256 ${file} sum)
    list(APPEND inputs ${sum})
  endforeach()
  string(SHA256 inputs "${inputs} ${VITRINE_HIGHWAY_DEFINITIONS}")
  list(GET ARGN 0 first)
  set(stamp ${deps_build}/${first}.stamp)
  file(LOCK ${deps_build} DIRECTORY GUARD FUNCTION)
  if(EXISTS ${stamp})
    file(READ ${stamp} stamped)
    if(stamped STREQUAL inputs)
      return()
    endif()
  endif()
  message(STATUS "Building ${title} in ${deps_build} (only once)")
  file(REMOVE ${deps_build}/CMakeCache.txt)  # it may be of another lock or of another clone
  execute_process(
    COMMAND ${CMAKE_COMMAND} -S ${deps_project} -B ${deps_build} -G Ninja -DCMAKE_BUILD_TYPE=Release ${deps_options}
      -DVITRINE_DEPS_DIR=${VITRINE_DEPS_DIR} -DVITRINE_HIGHWAY_DEFINITIONS=${VITRINE_HIGHWAY_DEFINITIONS}
    OUTPUT_FILE ${deps_build}/configure.log ERROR_FILE ${deps_build}/configure.log RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "Cannot configure ${title}: see ${deps_build}/configure.log")
  endif()
  execute_process(
    COMMAND ${CMAKE_COMMAND} --build ${deps_build} --target ${ARGN}
    COMMAND ${PROJECT_SOURCE_DIR}/toolchains/progress.sh ${deps_build}/build.log "   ${title}"
    RESULTS_VARIABLE results)
  list(GET results 0 failed)
  if(failed)
    message(FATAL_ERROR "Cannot build ${title}: see the end of ${deps_build}/build.log")
  endif()
  file(WRITE ${stamp} ${inputs})
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

# The archives that the runtime links.
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
# Constants are aligned to a cache line, 64 bytes; FlatBuffers' builder allows 32 by default.
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
