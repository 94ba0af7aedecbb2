#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fetches the sources in dependencies.lock into .deps/src/NAME and checks them against the lock's checksums.
#
#   toolchains/dependencies.sh [NAME...]     the named dependencies, or all
#
# It uses the archives in .deps/download, then upstream's archive, then Debian's. It keeps sources that match the lock, so
# a second run takes no time. Two parallel runs wait for each other. Set VITRINE_DEPS_DIR to use another folder than .deps.
set -euo pipefail
cd "$(dirname "$0")/.."
source toolchains/packages.sh
readonly lock=$PWD/toolchains/dependencies.lock deps=${VITRINE_DEPS_DIR:-$PWD/.deps}
PATH=$PATH:/usr/lib/apt  # apt-helper
upstream_answers=yes

say() { echo "dependencies: $*"; }
fail() { say "$*" >&2; exit 1; }

# Prints the lock's values of kind $2 for dependency $1.
values() { awk -v name="$1" -v kind="$2" '$1 == name && $2 == kind { $1 = $2 = ""; sub(/^ +/, ""); print }' "$lock"; }

# Prints all lines of the lock for dependency $1. src/NAME/.lock contains the lines for the unpacked sources.
stamp() { awk -v name="$1" '$1 == name' "$lock"; }

# Prints the checksum of the files below the given paths.
checksum() { find "$@" ! -type d -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1; }

# Unpacks archive $2 into src/$1. Keeps only the files that the lock lists, and fails if their checksum differs.
unpack() {
  local name=$1 archive=$2 partial=$deps/partial/$1 top sum paths found
  read -r sum paths <<< "$(values "$name" tree)"
  rm -rf "$partial"
  mkdir -p "$partial"/{all,used} "$deps/src"
  tar -xf "$archive" -C "$partial/all" --no-same-owner || return 1
  top=$partial/all
  if [ "$(ls -A "$top" | wc -l)" = 1 ]; then top=$top/$(ls -A "$top"); fi  # most archives contain one folder
  # shellcheck disable=SC2086  # paths are words
  (cd "$top" && cp -r --parents $paths "$partial/used") || return 1
  # shellcheck disable=SC2086
  found=$(cd "$partial/used" && checksum $paths) || return 1
  if [ "$found" != "$sum" ]; then
    say "$name: the files in $archive have the checksum $found, expected $sum" >&2
    return 1
  fi
  stamp "$name" > "$partial/used/.lock"
  rm -rf "${deps:?}/src/$name"
  mv "$partial/used" "$deps/src/$name" || return 1
  rm -rf "$partial"
}

# Downloads URL $1 to file $2. Fails within seconds if the host does not answer.
download() {
  say "$1"
  rm -f "$2.partial"
  if command -v curl > /dev/null; then
    curl -fsSL --connect-timeout 5 --speed-limit 1000 --speed-time 10 -o "$2.partial" "$1" || return 1
  else
    command -v wget > /dev/null && wget -q --tries=1 --timeout=5 -O "$2.partial" "$1" || return 1
  fi
  mv "$2.partial" "$2"
}

# Downloads URL $1 to file $2 with apt's proxies and credentials, for apt's mirrors.
apt_download() {
  say "$1"
  rm -f "$2.partial"
  apt-helper -qq -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=3 download-file "$1" "$2.partial" > /dev/null || return 1
  mv "$2.partial" "$2"
}

fetch() {
  local name=$1 url path archive mirror
  if [ "$(cat "$deps/src/$name/.lock" 2> /dev/null)" = "$(stamp "$name")" ]; then return; fi
  url=$(values "$name" upstream)
  path=$(values "$name" debian)
  for archive in "$deps/download/$name-${url##*/}" "$deps/download/${path##*/}"; do
    if [ -f "$archive" ] && unpack "$name" "$archive"; then return; fi
  done
  if [ $upstream_answers = yes ]; then
    archive=$deps/download/$name-${url##*/}
    if ! download "$url" "$archive"; then
      upstream_answers=no
      say "cannot download from upstream: using Debian's archive from now on"
    elif unpack "$name" "$archive"; then
      return
    fi
  fi
  archive=$deps/download/${path##*/}
  for mirror in $(debian_mirrors); do
    if apt_download "$mirror/pool/main/$path" "$archive" && unpack "$name" "$archive"; then return; fi
  done
  fail "could not fetch $name $(values "$name" version | cut -d' ' -f1) from upstream or from Debian (see above)"
}

main() {
  local name names=("$@")
  # shellcheck disable=SC2207  # names are words
  if [ $# = 0 ]; then names=($(awk '$2 == "version" { print $1 }' "$lock")); fi
  mkdir -p "$deps/download"
  exec 9> "$deps/fetch.flock"
  flock 9
  for name in "${names[@]}"; do
    [ -n "$(stamp "$name")" ] || fail "$lock has no $name"
    fetch "$name"
  done
}

main "$@"
