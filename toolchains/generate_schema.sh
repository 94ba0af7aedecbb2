#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Generates runtime/schema/vitrine_generated.h from runtime/schema/vitrine.fbs, or with --check fails if it is
# out of date.
#
#   toolchains/generate_schema.sh [--check]
#
# The first run builds the FlatBuffers compiler from the pinned source into .deps.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly deps=${VITRINE_DEPS_DIR:-$PWD/.deps}
readonly source=$deps/src/flatbuffers build=$deps/build/flatc
readonly schema=runtime/schema/vitrine.fbs header=runtime/schema/vitrine_generated.h

# Builds flatc in a separate folder, so that it does not need XNNPACK. Builds it again when the lock's version changes.
build_flatc() {
  toolchains/dependencies.sh flatbuffers
  if cmp -s "$source/.lock" "$build/.lock"; then return; fi
  echo "building flatc in $build, which is done once"
  cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DFLATBUFFERS_BUILD_TESTS=OFF \
    -DFLATBUFFERS_BUILD_FLATHASH=OFF -DFLATBUFFERS_BUILD_FLATLIB=OFF -DFLATBUFFERS_INSTALL=OFF > "$build.log" 2>&1 &&
    ninja -C "$build" flatc >> "$build.log" 2>&1 || { tail -20 "$build.log" >&2; exit 1; }
  cp "$source/.lock" "$build/.lock"
}

generate() {
  "$build/flatc" --cpp --cpp-std c++17 --scoped-enums --gen-object-api -o "$1" "$schema"
}

main() {
  mkdir -p "$deps/build"
  exec 9> "$deps/build/flatc.flock"
  flock 9
  build_flatc
  local folder
  folder=$(mktemp -d)
  trap "rm -rf '$folder'" EXIT
  generate "$folder"
  if [ "${1:-}" = --check ]; then
    diff -u "$header" "$folder/vitrine_generated.h" ||
      { echo "$header is not what $schema gives: run toolchains/generate_schema.sh" >&2; exit 1; }
  elif ! cmp -s "$folder/vitrine_generated.h" "$header"; then
    cp "$folder/vitrine_generated.h" "$header"
    echo "wrote $header"
  fi
}

main "$@"
