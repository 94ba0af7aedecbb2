# SPDX-License-Identifier: Apache-2.0
# Read by cpack: the settings that depend on the compiled program, and the time of all files.

# greatest(PREFIX OUTPUT): sets OUTPUT to the greatest version of the symbols PREFIX_x.y that the program needs.
function(greatest prefix output)
  string(REGEX MATCHALL "\\(${prefix}_[0-9.]+\\)" found "${symbols}")
  set(version 0)
  foreach(symbol ${found})
    string(REGEX REPLACE "[^0-9.]" "" number ${symbol})
    if(number VERSION_GREATER version)
      set(version ${number})
    endif()
  endforeach()
  set(${output} ${version} PARENT_SCOPE)
endfunction()

# dpkg-shlibdeps only knows the libraries of this machine, but the program may be for another one. The versions of the
# program's symbols give the oldest release of each library that has them.
execute_process(COMMAND ${CPACK_VITRINE_OBJDUMP} -T ${CPACK_VITRINE_PROGRAM}
  OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
greatest(GLIBC glibc)
greatest(GLIBCXX glibcxx)
set(gcc_of_3.4.29 11)
set(gcc_of_3.4.30 12)
set(gcc_of_3.4.31 13.1)
set(gcc_of_3.4.32 13.2)
set(gcc_of_3.4.33 14)
set(gcc_of_3.4.34 15)
if(NOT DEFINED gcc_of_${glibcxx})
  message(FATAL_ERROR "GLIBCXX_${glibcxx} is unknown: add the gcc release that introduced it to ${CMAKE_CURRENT_LIST_FILE}")
endif()
# The libcamera plug-in needs the libcamera package of this machine: recommend it.
if(CPACK_VITRINE_LIBCAMERA)
  execute_process(COMMAND ${CPACK_VITRINE_OBJDUMP} -p ${CPACK_VITRINE_LIBCAMERA} OUTPUT_VARIABLE headers COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "NEEDED +libcamera[^\n]+" libraries "${headers}")
  foreach(library ${libraries})
    string(REGEX REPLACE "NEEDED +" "" library ${library})
    execute_process(COMMAND dpkg-query -S "*/${library}" OUTPUT_VARIABLE owner COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX REPLACE ":.*" "" owner "${owner}")
    list(APPEND owners ${owner})
  endforeach()
  list(REMOVE_DUPLICATES owners)
  list(JOIN owners ", " owners)
  string(APPEND CPACK_DEBIAN_VITRINE_PACKAGE_RECOMMENDS ", ${owners}")
endif()
set(CPACK_DEBIAN_VITRINE_PACKAGE_DEPENDS
  "libc6 (>= ${glibc}), libgcc-s1 (>= 3.5), libstdc++6 (>= ${gcc_of_${glibcxx}}), systemd | systemd-standalone-sysusers")

set(CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS "libc6 (>= ${glibc}), libgcc-s1 (>= 3.5), libstdc++6 (>= ${gcc_of_${glibcxx}})")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libvitrine0 (= ${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")

if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})
  file(STRINGS ${CPACK_VITRINE_CHANGELOG} signature REGEX "^ -- " LIMIT_COUNT 1)
  string(REGEX REPLACE ".*>  " "" date "${signature}")
  execute_process(COMMAND date -d ${date} +%s OUTPUT_VARIABLE seconds OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(ENV{SOURCE_DATE_EPOCH} ${seconds})
endif()
