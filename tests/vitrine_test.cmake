# SPDX-License-Identifier: Apache-2.0
# vitrine_test(NAME SOURCE... [LINK LIBRARY...]): adds the Catch2 program NAME_test and its ctest entries.
#
# On the host every test case is one entry, `NAME: Test case`. For ARM the whole program is one entry per emulated
# CPU, `NAME on cortex-a72`. Tests find their files with VITRINE_SOURCE_DIR, the root of the checkout.

include(Catch)

if(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
  set(VITRINE_TEST_PROCESSORS cortex-a72 cortex-a76 max)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^arm")
  set(VITRINE_TEST_PROCESSORS cortex-a7 cortex-a15)
endif()

function(vitrine_test name)
  cmake_parse_arguments(test "" "" "LINK" ${ARGN})
  add_executable(${name}_test ${test_UNPARSED_ARGUMENTS})
  target_link_libraries(${name}_test PRIVATE vitrine_common ${test_LINK} Catch2::Catch2WithMain)
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/runtime/include)
  target_compile_definitions(${name}_test PRIVATE VITRINE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(CMAKE_CROSSCOMPILING)
    foreach(processor ${VITRINE_TEST_PROCESSORS})
      add_test(NAME "${name} on ${processor}"
        COMMAND ${PROJECT_SOURCE_DIR}/toolchains/emulator/run.sh ${processor} $<TARGET_FILE:${name}_test>)
    endforeach()
  else()
    catch_discover_tests(${name}_test TEST_PREFIX "${name}: " DISCOVERY_MODE PRE_TEST)
  endif()
endfunction()
