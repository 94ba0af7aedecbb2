# SPDX-License-Identifier: Apache-2.0
# cmake -DOUTPUT=FILE.cc -P embed.cmake FILE...: writes the files as a C++ source that defines PageFiles().
set(types_html "text/html; charset=utf-8")
set(types_css "text/css; charset=utf-8")
set(types_js "text/javascript; charset=utf-8")
set(types_svg "image/svg+xml")

set(arrays)
set(entries)
set(index 0)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(argument RANGE ${last})
  set(file ${CMAKE_ARGV${argument}})
  if(NOT file MATCHES "\\.(html|css|js|svg)$")
    continue()
  endif()
  set(type "${types_${CMAKE_MATCH_1}}")
  get_filename_component(name ${file} NAME)
  if(name STREQUAL "index.html")
    set(name "")
  endif()
  file(READ ${file} hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR bytes "${digits} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," values "${hex}")
  string(APPEND arrays "const unsigned char file${index}[] = {${values}};\n")
  string(APPEND entries
    "    {\"/${name}\", \"${type}\", {reinterpret_cast<const char*>(file${index}), ${bytes}}},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUTPUT} "#include \"platforms/linux/camera/live/live_page.h\"

namespace vitrine {
namespace {
${arrays}}  // namespace

std::span<const PageFile> PageFiles() {
  static const PageFile files[] = {
${entries}  };
  return files;
}

}  // namespace vitrine
")
