#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs `vitrine camera` for aarch64 on an emulated machine whose kernel has a virtual V4L2 camera, vivid; takes the camera
# away while it runs, and gives it back.
#
#   tests/camera/machine_test.sh VITRINE MODEL.vit
#
# The kernel and a shell come from Debian's archive for arm64, through lists of apt's that are private to .cache/camera; the
# machine has no disk and no network. Exits 77, which is "skipped", where qemu-system-aarch64 or the packages cannot be had.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
readonly root vitrine=$1 model=$2 cache=$root/.cache/camera
cd "$root"
source toolchains/packages.sh
skip() { echo "skipped: $*"; exit 77; }

# apt with lists of its own, for arm64.
private_apt() {
  local command=$1
  shift
  "$command" -o Dir::Etc::sourcelist="$cache/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State="$cache/apt" -o Dir::State::lists="$cache/apt/lists" -o Dir::State::status="$cache/apt/status" \
    -o Dir::Cache="$cache/apt/cache" -o APT::Architecture=arm64 -o APT::Architectures::=arm64 \
    -o APT::Sandbox::User=root "$@"
}

# fetch: kernel and busybox into $cache/root.
fetch() {
  local uri key kernel
  read -r uri key < <(awk '/^URIs:/ { uri = $2 } /^Signed-By:/ { print uri, $2; exit }' /etc/apt/sources.list.d/debian.sources)
  [ -n "${key:-}" ] || return 1
  mkdir -p "$cache"/apt/{lists,cache/archives}/partial "$cache/root"
  echo "deb [signed-by=$key arch=arm64] $uri trixie main" > "$cache/apt/sources.list"
  : > "$cache/apt/status"
  private_apt apt-get update || return 1
  kernel=$(private_apt apt-cache depends linux-image-arm64 | awk '/Depends: linux-image-/ { print $2; exit }')
  (cd "$cache/root" && private_apt apt-get download "$kernel" busybox-static && for package in *.deb; do dpkg-deb -x "$package" .; done &&
    rm ./*.deb) || return 1
  touch "$cache/fetched"
}

# make_initrd FOLDER: busybox, vivid and what it needs, the command and its libraries.
make_initrd() {
  local folder=$1 version modules name library
  version=$(ls "$cache/root/usr/lib/modules")
  modules=$cache/root/usr/lib/modules/$version
  mkdir -p "$folder"/{bin,dev,proc,sys,tmp,lib,modules}
  cp "$(find "$cache/root" -path '*bin/busybox' -type f)" "$folder/bin/"
  [ -s "$modules/modules.dep" ] || /sbin/depmod -b "$cache/root/usr" "$version"
  # A module's line in modules.dep names what it needs, the first to be loaded last.
  awk '/\/vivid\.ko/ { sub(":", ""); print; exit }' "$modules/modules.dep" | tr ' ' '\n' | tac | while read -r name; do
    xz -dc "$modules/$name" > "$folder/modules/$(basename "$name" .xz)"
    echo "/modules/$(basename "$name" .xz)" >> "$folder/modules/order"
  done
  for library in ld-linux-aarch64.so.1 libc.so.6 libm.so.6 libgcc_s.so.1 libstdc++.so.6; do
    cp -L "toolchains/emulator/sysroots/cortex-a72/lib/$library" "$folder/lib/"
  done
  cp "$vitrine" "$folder/bin/vitrine"
  cp "$model" "$folder/model.vit"
  install -m 755 tests/camera/machine_init.sh "$folder/init"
}

install_packages qemu-system-arm cpio kmod xz-utils || skip "no packages"
command -v qemu-system-aarch64 > /dev/null || skip "no qemu-system-aarch64"
mkdir -p "$cache"
[ -e "$cache/fetched" ] || fetch > "$cache/fetch.log" 2>&1 || skip "no kernel: see $cache/fetch.log"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make_initrd "$work/initrd"
(cd "$work/initrd" && find . | cpio -o -H newc 2> /dev/null | gzip -1 > "$work/initrd.gz")
timeout 400 qemu-system-aarch64 -M virt -cpu cortex-a72 -smp 2 -m 1024 -nic none -nographic -no-reboot -accel tcg,thread=multi \
  -kernel "$cache"/root/boot/vmlinuz-* -initrd "$work/initrd.gz" -append "console=ttyAMA0 quiet panic=-1" < /dev/null | tr -d '\r' |
  tee "$work/log"
for line in 'ten decisions: exit 0, 10 lines' {yuyv,nv12,i420,rgb24,bgr24,gray}': exit 0, 2 lines' 'the camera is gone' 'the camera is back' 'after the camera came back: exit 0, 30 lines' \
  'stopped: exit 0'; do
  grep -qF "$line" "$work/log" || { echo "the machine did not say: $line" >&2; exit 1; }
done
