#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Checks the include rules. Each line has the paths that may be included and the folder of the files that include them.
#
#   tests/includes_test.sh
cd "$(dirname "$0")/.." || exit 1
status=0
while read -r allowed folder; do
  # shellcheck disable=SC2086  # a folder may come with exceptions
  if git grep -nE '^ *# *include "(runtime|converter|platforms|pages|tests)/' -- $folder | grep -vE "\"($allowed)"; then
    echo "$folder may include only $allowed" >&2
    status=1
  fi
done <<END
runtime/base/                                                                        runtime/base
runtime/(base|schema|program)/                                                       runtime/program
runtime/(base|schema|arena)/                                                         runtime/arena
runtime/(base|kernels)/                                                              runtime/kernels
runtime/(base|image)/                                                                runtime/image
runtime/(base|schema|program|kernels|arena|ops)/                                     runtime/ops
runtime/(base|schema|program|kernels|image|arena|ops|session)/                       runtime/session
runtime/c/                                                                           runtime/c
(runtime|converter/checkpoint)/|converter/error.h                                    converter/checkpoint
(runtime|converter/vit)/|converter/error.h                                           converter/vit
(runtime|converter/quantize)/|converter/error.h                                      converter/quantize
(runtime|converter/(checkpoint|vit|family))/|converter/error.h                       converter/family
(runtime|converter/(vit|quantize|lower))/|converter/error.h                          converter/lower
(runtime|converter/(checkpoint|vit|family|quantize|lower|measure))/|converter/error.h converter/measure
(runtime|converter/(checkpoint|vit|family|quantize|lower|measure|calibrate))/|converter/error.h converter/calibrate
converter/report/|converter/convert.h|pages/                                         converter/report
(runtime|converter)/|pages/                                                          converter
runtime/                                                                             runtime
pages/                                                                               pages
platforms/|pages/                                                                    platforms :!platforms/linux/convert.cc
platforms/linux/|converter/convert.h                                                 platforms/linux/convert.cc
END
# XNNPACK's interface changes between versions, so only one folder may include it.
if git grep -nE '# *include <(xnnpack|pthreadpool)' -- runtime ':!runtime/ops' converter platforms; then status=1; fi
exit $status
