#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tests of toolchains/dependencies.sh, without a network: apt-get always fails, and curl copies $CURL_GIVES.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly shared=${VITRINE_DEPS_DIR:-$PWD/.deps}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/bin"
printf '#!/bin/sh\nexit 100\n' > "$work/bin/apt-get"
printf '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\ncp "$CURL_GIVES" "$2"\n' > "$work/bin/curl"
chmod +x "$work"/bin/*
export PATH=$work/bin:$PATH VITRINE_DEPS_DIR=$work/deps CURL_GIVES=/nonexistent

fetch() { toolchains/dependencies.sh cli11 > "$work/log" 2>&1; }
fail() { echo "$1"; sed 's/^/    /' "$work/log"; exit 1; }

# What upstream's archive would be: the same files in another wrapping.
mkdir "$work/CLI11-2.4.1"
cp -r "$shared"/src/cli11/{LICENSE,include} "$work/CLI11-2.4.1/"
echo "not in Debian's tarball" > "$work/CLI11-2.4.1/azure-pipelines.yml"
tar -C "$work" -czf "$work/upstream.tar.gz" CLI11-2.4.1

fetch && fail "a dependency that cannot be had is taken for fetched"
grep -q 'cli11 2.4.1 could neither be had' "$work/log" || fail "the missing dependency is not named"
grep -q 'cli11=2.4.1+ds-2 is not to be had from Debian\|https://github.com/CLIUtils' "$work/log" || fail "what was tried is not named"

CURL_GIVES=$work/upstream.tar.gz fetch || fail "upstream's archive is refused"
[ -f "$work/deps/src/cli11/include/CLI/CLI.hpp" ] || fail "upstream's archive is not unpacked"
fetch || fail "what is there is fetched again"
[ ! -s "$work/log" ] || fail "a run with nothing to do says something"

rm -r "$work/deps/src/cli11"
echo "// changed" >> "$work/CLI11-2.4.1/include/CLI/CLI.hpp"
tar -C "$work" -czf "$work/changed.tar.gz" CLI11-2.4.1
CURL_GIVES=$work/changed.tar.gz fetch && fail "a changed archive is accepted"
grep -q "which is not the lock's" "$work/log" || fail "the changed archive is not named"
[ ! -e "$work/deps/src/cli11" ] || fail "a refused archive leaves something behind"

head -c 1000 "$work/upstream.tar.gz" > "$work/cut.tar.gz"
CURL_GIVES=$work/cut.tar.gz fetch && fail "half an archive is accepted"
[ ! -e "$work/deps/src/cli11" ] || fail "half an archive leaves something behind"
echo "all passed"
