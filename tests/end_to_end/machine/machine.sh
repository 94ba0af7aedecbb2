# SPDX-License-Identifier: Apache-2.0
# Sourced by the tests that run an emulated machine. Builds the machine from Debian's packages for arm64. Its kernel has
# vivid, a virtual V4L2 camera.
#
# apt uses private package lists in $cache, checks their signatures and selects the newest kernel of the release. The machine
# has no network. If the packages are not available, a test exits with 77, which means "skipped".
cache=${VITRINE_DEPS_DIR:-$PWD/.deps}/machine
source toolchains/packages.sh
skip() { echo "skipped: $*"; exit 77; }

# Runs apt with its own package lists, for arm64.
private_apt() {
  local command=$1
  shift
  "$command" -o Dir::Etc::sourcelist="$cache/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State="$cache/apt" -o Dir::State::lists="$cache/apt/lists" -o Dir::State::status="$cache/apt/status" \
    -o Dir::Cache="$cache/apt/cache" -o APT::Architecture=arm64 -o APT::Architectures::=arm64 \
    -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

read_lists() {
  local mirror
  mkdir -p "$cache"/apt/{lists,cache/archives}/partial
  mirror=$(debian_mirrors | head -1)
  [ -n "$mirror" ] || return 1
  echo "deb [arch=arm64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" > "$cache/apt/sources.list"
  : > "$cache/apt/status"
  private_apt apt-get update
}

# unpack_packages NAME PACKAGE...: unpacks the packages and their dependencies to NAME/ in the cache without running their
# scripts; dpkg lists them as installed.
unpack_packages() {
  local folder=$cache/$1 package
  rm -rf "$folder" "$cache/debs"
  mkdir -p "$folder/var/lib/dpkg/info" "$cache/debs/partial"
  private_apt apt-get install --yes --no-install-recommends --download-only \
    -o Dir::Cache::archives="$cache/debs" "${@:2}" || return 1
  for package in "$cache"/debs/*.deb; do
    dpkg-deb -x "$package" "$folder" || return 1
    { dpkg-deb -f "$package"; printf 'Status: install ok installed\n\n'; } >> "$folder/var/lib/dpkg/status"
    dpkg-deb -c "$package" | sed 's/.* \.\//\//; s/ -> .*//; s/\/$//; /^$/d' \
      > "$folder/var/lib/dpkg/info/$(dpkg-deb -f "$package" Package).list"
  done
  rm -rf "$cache/debs"
}

# fetch NAME PACKAGE...: calls unpack_packages once for this list of packages; concurrent calls wait for each other.
fetch() {
  local stamp
  stamp=$(printf '%s\n' "${@:2}")
  mkdir -p "$cache"
  exec 8> "$cache/flock"
  flock 8
  if [ "$(cat "$cache/$1.stamp" 2> /dev/null)" != "$stamp" ]; then
    { read_lists && unpack_packages "$@"; } > "$cache/$1.log" 2>&1 || skip "no packages for the machine: see $cache/$1.log"
    echo "$stamp" > "$cache/$1.stamp"
  fi
  flock -u 8
}

# Fetches the kernel with its modules, and busybox.
fetch_kernel() {
  install_packages qemu-system-arm cpio kmod xz-utils || skip "no packages"
  command -v qemu-system-aarch64 > /dev/null || skip "no qemu-system-aarch64"
  fetch kernel linux-image-arm64 busybox-static
}

# make_initrd FOLDER MODULE...: copies busybox, the modules and their dependencies; /modules/order lists the modules in
# loading order.
make_initrd() {
  local folder=$1 version modules name module
  version=$(ls "$cache/kernel/usr/lib/modules")
  modules=$cache/kernel/usr/lib/modules/$version
  mkdir -p "$folder"/{bin,dev,proc,sys,tmp,lib,modules}
  cp "$(find "$cache/kernel" -path '*bin/busybox' -type f)" "$folder/bin/"
  [ -s "$modules/modules.dep" ] || /sbin/depmod -b "$cache/kernel/usr" "$version"
  for module in "${@:2}"; do
    # A module's line in modules.dep lists its dependencies in reverse loading order.
    awk -v name="/$module.ko" 'index($1, name) { sub(":", ""); print; exit }' "$modules/modules.dep" | tr ' ' '\n' | tac
  done | awk '!seen[$0]++' | while read -r name; do
    xz -dc "$modules/$name" > "$folder/modules/$(basename "$name" .xz)"
    echo "/modules/$(basename "$name" .xz)" >> "$folder/modules/order"
  done
}

# run_machine INITRD-FOLDER LOG SECONDS QEMU-OPTION...: runs until the machine powers off; writes its output to LOG.
run_machine() {
  local folder=$1 log=$2 seconds=$3
  (cd "$folder" && find . | cpio -o -H newc 2> /dev/null | gzip -1) > "$folder.gz"
  timeout "$seconds" qemu-system-aarch64 -M virt -cpu cortex-a72 -smp 2 -m 1024 -nic none -nographic -no-reboot \
    -accel tcg,thread=multi -kernel "$cache"/kernel/boot/vmlinuz-* -initrd "$folder.gz" "${@:4}" < /dev/null |
    tr -d '\r' | tee "$log"
}

# expect LOG LINE...: fails at the first LINE that LOG does not contain.
expect() {
  local line
  for line in "${@:2}"; do
    grep -qF -- "$line" "$1" || { echo "the machine did not say: $line" >&2; exit 1; }
  done
}
