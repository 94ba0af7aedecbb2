# SPDX-License-Identifier: Apache-2.0
# Functions for other scripts: install missing Debian packages, configure and build, print progress with the time.

say() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }

# Prints the addresses from which apt reads Debian's archive on this machine, in apt's order. Prints nothing without apt.
debian_mirrors() {
  local release
  release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2> /dev/null) || true
  { apt-get update --print-uris 2> /dev/null || true; } |
    sed -n "s#^'\(.*\)/dists/\(${release:-stable}\|stable\|testing\|unstable\|sid\)/InRelease'.*#\1#p" | awk '!seen[$0]++'
}

# install_packages PACKAGE...: installs the missing packages. Needs root (or sudo) and apt when a package is missing.
install_packages() {
  local package missing=() apt=(apt-get)
  if ! command -v apt-get >/dev/null; then
    say "this is not a Debian machine: install what these packages hold, if a command below is missing: $*"
    return
  fi
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  if [ ${#missing[@]} = 0 ]; then return; fi
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "needed and not installed: as root, apt-get install ${missing[*]}" >&2; exit 1; }
    apt=(sudo apt-get)
  fi
  say "installing ${missing[*]}"
  local log
  log=$(mktemp)
  {
    "${apt[@]}" update &&
      DEBIAN_FRONTEND=noninteractive "${apt[@]}" install --yes --no-install-recommends "${missing[@]}"
  } > "$log" 2>&1 < /dev/null || { tail -20 "$log" >&2; echo "could not install ${missing[*]}: all of it is in $log" >&2; exit 1; }
  rm "$log"
}

# install_cross_compiler PRESET: installs the compiler of a preset for another CPU, if it is missing.
install_cross_compiler() {
  local target
  case $1 in
    aarch64) target=aarch64-linux-gnu ;;
    armv7) target=arm-linux-gnueabihf ;;
    *) return 0 ;;
  esac
  command -v "$target-g++" >/dev/null || install_packages "g++-$target"
}

# build PRESET LOG-FOLDER TARGET...: builds and shows progress. Writes the whole output to LOG-FOLDER/PRESET-build.log.
build() {
  local preset=$1 log=$2/$1-build.log
  mkdir -p "$2"
  local targets=()
  if [ $# -gt 2 ]; then targets=(--target "${@:3}"); fi
  cmake --build "build/$preset" "${targets[@]}" 2>&1 | toolchains/progress.sh "$log" "         $preset" &&
    [ "${PIPESTATUS[0]}" = 0 ] || { sed -n '/^FAILED/,$p' "$log" | head -40 >&2; return 1; }
}

# configure PRESET LOG-FOLDER OPTION...: runs cmake --preset and shows only the slow steps. Writes the whole output to
# LOG-FOLDER/PRESET-configure.log.
configure() {
  local preset=$1 log=$2/$1-configure.log
  mkdir -p "$2"
  cmake --preset "$preset" "${@:3}" 2>&1 | tee "$log" | sed -un '/^dependencies:/s/^/         /p; /^-- Building/s/^--/        /p; /% of/s/^/      /p'
  [ "${PIPESTATUS[0]}" = 0 ] || { tail -20 "$log" >&2; return 1; }
}
