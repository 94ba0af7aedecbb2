#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Checks the packages without installing them.
#
#   tests/end_to_end/packages/package_test.sh PACKAGES-FOLDER MODEL.vit [EMULATOR...]
set -euo pipefail
cd "$(dirname "$0")/../../.."
readonly packages=$1 model=$2 emulator=("${@:3}")
source toolchains/packages.sh
fail() { echo "$*" >&2; exit 1; }

install_packages lintian man-db
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
lintian --allow-root --fail-on error,warning "$packages"/*.deb
dpkg-deb -x "$packages"/vitrine_*.deb "$work"
vitrine() { "${emulator[@]}" "$work/usr/bin/vitrine" "$@"; }

warnings=$(LC_ALL=C.UTF-8 MANWIDTH=100 man --warnings -E UTF-8 -l "$work/usr/share/man/man1/vitrine.1.gz" 2>&1 > "$work/manual")
[ -z "$warnings" ] || fail "the manual: $warnings"
vitrine --help > "$work/help"
for subcommand in $(awk '/^Subcommands:/ { in_list = 1; next } in_list { print $1 }' "$work/help"); do
  grep -q "^       $subcommand " "$work/manual" || grep -qx " *$subcommand" "$work/manual" || fail "the manual lacks $subcommand"
  for option in $(vitrine "$subcommand" --help | grep -o '^  [-a-z,]*--[a-z-]*' | sed 's/.*--/--/'); do
    grep -qE -- "^  .*$option( |$)" "$work/manual" || fail "the manual lacks $option of $subcommand"
  done
done

[ -e "$model" ] || { echo "skipped: there is no $model, which the tests of the preset host write"; exit 77; }
vitrine classify "$model" models/samples/glass.jpg --packed none --json | tee "$work/said"
grep -q '"label": *"glass"' "$work/said"
