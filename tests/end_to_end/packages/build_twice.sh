#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds a preset's packages twice, with another time, folder, umask, time zone and locale, and compares the files.
#
#   tests/end_to_end/packages/build_twice.sh PRESET
set -euo pipefail
cd "$(dirname "$0")/../../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
platforms/raspberrypi/package.sh "$1"
sleep 1
(umask 077 && TZ=Asia/Tokyo LC_ALL=C.UTF-8 platforms/raspberrypi/package.sh "$1" "$work/packages")
for package in "build/$1"/packages/*.deb; do cmp "$package" "$work/packages/$(basename "$package")"; done
