#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds the wheel of a preset into build/PRESET/python/ or into FOLDER. Builds the preset's binaries first.
#
#   platforms/python/wheel.sh host|aarch64 [FOLDER]
#
# Installs the cross compiler if it is missing (Debian, as root or with sudo).
set -euo pipefail
cd "$(dirname "$0")/../.."
source toolchains/packages.sh
readonly preset=$1 build=$PWD/build/$1 folder=${2:-$PWD/build/$1/python}
umask 022
install_cross_compiler "$preset"
python=$(platforms/python/environment.sh)
[ -e "$build/build.ninja" ] || cmake --preset "$preset"
cmake --build "$build" --target vitrine_shared vitrine-convert

# Sets the platform name that Python uses on the target, and one modification time for all files.
if [ "$preset" != host ]; then export _PYTHON_HOST_PLATFORM=linux-$preset; fi
released=$(sed -n 's/^ -- .*>  //p' platforms/raspberrypi/package/changelog | head -1)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(date -d "$released" +%s)}
export SOURCE_DATE_EPOCH
rm -rf "$folder"
"$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-cache-dir --wheel-dir "$folder" \
  --config-settings "cmake.define.VITRINE_BUILD=$build" platforms/python

# Tags the wheel with the oldest C library that has all symbols that the binaries need.
tag=$("$python" -m auditwheel show --json "$folder"/*.whl 2> /dev/null |
  "$python" -c 'import json, sys; print(json.load(sys.stdin)["overall_tag"])')
"$python" -m wheel tags --remove --platform-tag "$tag" "$folder"/*.whl
