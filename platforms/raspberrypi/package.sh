#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds the Debian packages of a preset into build/PRESET/packages/ or into FOLDER.
#
#   platforms/raspberrypi/package.sh aarch64|armv7|host [FOLDER]
#
# Installs the cross compiler if it is missing (Debian, as root or with sudo).
set -euo pipefail
cd "$(dirname "$0")/../.."
source toolchains/packages.sh
readonly build=$PWD/build/$1 folder=${2:-$PWD/build/$1/packages}
umask 022  # cpack creates folders with these permissions
install_cross_compiler "$1"
[ -e "$build/build.ninja" ] || cmake --preset "$1"
cmake --build "$build" --target vitrine_command vitrine_shared vitrine_static
rm -rf "$folder"
cpack --config "$build/CPackConfig.cmake" -B "$folder"
rm -rf "$folder/_CPack_Packages"
