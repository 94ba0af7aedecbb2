#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds the Debian packages of a preset into build/PRESET/packages/ (or the folder that is named).
#
#   platforms/raspberrypi/package.sh aarch64|armv7|host [FOLDER]
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly build=$PWD/build/$1 folder=${2:-$PWD/build/$1/packages}
umask 022  # cpack's folders have what it leaves
[ -e "$build/build.ninja" ] || cmake --preset "$1"
cmake --build "$build" --target vitrine_command vitrine_shared vitrine_static
rm -rf "$folder"
cpack --config "$build/CPackConfig.cmake" -B "$folder"
rm -rf "$folder/_CPack_Packages"
