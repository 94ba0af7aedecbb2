#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Brings the sources that dependencies.lock names to .deps/src/NAME, checked against their checksums.
#
#   toolchains/dependencies.sh [NAME...]     the named ones, or all
#
# On Debian they come from its source packages, elsewhere (or when Debian has dropped a version) from the upstream
# project's archive of the same commit. What is already there is kept, so a second run takes no time, and two runs
# at once wait for each other. VITRINE_DEPS_DIR names another folder than .deps, for clones that share one. A machine
# without a network is served by Debian's tarballs in .deps/download.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly lock=$PWD/toolchains/dependencies.lock
readonly deps=${VITRINE_DEPS_DIR:-$PWD/.deps}
source toolchains/debian_archive.sh

say() { echo "dependencies: $*"; }
fail() { echo "dependencies: $*" >&2; exit 1; }

# The lock's lines of one kind for one dependency, without name and kind.
entries() { awk -v name="$1" -v kind="$2" '$1 == name && $2 == kind { $1 = $2 = ""; sub(/^ +/, ""); print }' "$lock"; }

# What an unpacked source is stamped with: all that the lock says about it.
stamp() { awk -v name="$1" '$1 == name' "$lock"; }

is_there() { [ "$(cat "$deps/src/$1/.lock" 2>/dev/null)" = "$(stamp "$1")" ]; }

# The checksum of the files that we use of the source in folder $1; the rest of the arguments are paths in it.
tree_checksum() {
  (cd "$1" && shift && find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
}

# Unpacks archive $2 as dependency $1 and puts it in place in one step. With a third argument, the tree must be the lock's.
unpack() {
  local name=$1 archive=$2 check=${3:-} partial=$deps/partial/$1 sum paths found
  rm -rf "$partial"
  mkdir -p "$partial/files" "$deps/src"
  tar -xmf "$archive" -C "$partial/files" --no-same-owner || return 1
  local top=$partial/files
  if [ "$(ls -A "$top" | wc -l)" = 1 ]; then top=$top/$(ls -A "$top"); fi
  if [ -n "$check" ]; then
    read -r sum paths < <(entries "$name" tree)
    # shellcheck disable=SC2086  # paths are words
    found=$(tree_checksum "$top" $paths) || found=none
    if [ "$found" != "$sum" ]; then
      say "$name: the files in $(basename "$archive") have checksum $found, which is not the lock's" >&2
      return 1
    fi
  fi
  stamp "$name" > "$top/.lock"
  rm -rf "${deps:?}/src/$name"
  mv "$top" "$deps/src/$name"
  rm -rf "$partial"
}

# apt-get with lists of its own: the machine's are neither used nor changed. Old lists will do: the lock has checksums.
private_apt() {
  apt-get -q -o Dir::Etc::sourcelist="$deps/apt/sources.list" -o Dir::Etc::sourceparts=/nonexistent/ \
    -o Dir::State::lists="$deps/apt/lists" -o Dir::State::status="$deps/apt/status" -o Dir::Cache="$deps/apt/cache" \
    -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none -o Acquire::Retries=3 \
    -o Acquire::Check-Valid-Until=false "$@"
}

# Reads the suites' lists of source packages, once a run. Fails where there is no Debian to read from.
apt_ready=
prepare_apt() {
  if [ -n "$apt_ready" ]; then [ "$apt_ready" = yes ]; return; fi
  apt_ready=no
  command -v apt-get >/dev/null && grep -qs '^ID=debian' /etc/os-release || return 1
  mkdir -p "$deps"/apt/{lists,cache/archives}/partial
  : > "$deps/apt/status"
  debian_source deb-src "" $(awk '$2 == "debian" { print $3 }' "$lock" | sort -u) > "$deps/apt/sources.list" || return 1
  say "reading Debian's lists of source packages"
  private_apt update > "$deps/apt/log" 2>&1 ||
    say "not all could be read: $(grep -m1 '^[EW]:' "$deps/apt/log" || echo "see $deps/apt/log")" >&2
  apt_ready=yes
}

fetch_from_debian() {
  local name=$1 suite package tarball sum
  while read -r suite package tarball sum; do
    if ! (cd "$deps/download" && echo "$sum  $tarball" | sha256sum --check --status 2>/dev/null); then
      prepare_apt || return 1
      say "$name: $package from Debian $suite"
      # Only the tarball: the checksum vouches for it, and mirrors may lack the signed description beside it.
      if ! (cd "$deps/download" && private_apt source --tar-only --download-only "$package" > "$deps/apt/log" 2>&1); then
        say "$name: $package is not to be had from Debian $suite: $(grep -m1 '^[EW]:' "$deps/apt/log" || echo "see $deps/apt/log")" >&2
        continue
      fi
      if ! (cd "$deps/download" && echo "$sum  $tarball" | sha256sum --check --status); then
        say "$name: $tarball from Debian $suite is not the file that the lock names" >&2
        continue
      fi
    fi
    unpack "$name" "$deps/download/$tarball" && return 0
  done < <(entries "$name" debian)
  return 1
}

fetch_from_upstream() {
  local name=$1 url archive=$deps/download/$1.upstream.tar.gz
  url=$(entries "$name" upstream)
  say "$name: $url"
  if command -v curl >/dev/null; then
    curl -fsSL --retry 3 --connect-timeout 20 -o "$archive.partial" "$url" || return 1
  elif command -v wget >/dev/null; then
    wget -q -t 3 -T 20 -O "$archive.partial" "$url" || return 1
  else
    say "$name: there is neither curl nor wget to fetch it with" >&2
    return 1
  fi
  mv "$archive.partial" "$archive"
  unpack "$name" "$archive" check
}

fetch() {
  is_there "$1" && return
  fetch_from_debian "$1" || fetch_from_upstream "$1" ||
    fail "$1 $(entries "$1" version | cut -d' ' -f1) could neither be had from Debian nor from its upstream; the lines above say why"
}

main() {
  local known name names=("$@")
  known=$(awk '$2 == "version" { print $1 }' "$lock")
  # shellcheck disable=SC2206  # names are words
  if [ ${#names[@]} = 0 ]; then names=($known); fi
  for name in "${names[@]}"; do
    grep -qx "$name" <<< "$known" || fail "there is no $name in $lock"
  done
  mkdir -p "$deps/download"
  exec 9> "$deps/fetch.flock"
  flock 9
  for name in "${names[@]}"; do fetch "$name"; done
}

main "$@"
