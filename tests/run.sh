#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs all tests: on this machine with gcc, with the sanitizers and with clang, and on emulated ARM CPUs. Installs
# the required packages (Debian bookworm, as root). Writes logs to build/logs/.
#
#   tests/run.sh [PRESET...]      host host-debug host-clang aarch64 armv7
#
# The last line is `N passed, N failed`. Exits with an error if a test or a build has failed.
set -uo pipefail
cd "$(dirname "$0")/.."
source toolchains/packages.sh
readonly logs=$PWD/build/logs
passed=0 failed=0

packages_of() {
  case $1 in
    host)
      echo python3-venv libcamera-dev pkg-config doxygen chromium chromium-driver python3-selenium \
        default-jdk-headless junit4 maven aapt zipalign apksigner android-framework-res \
        clang libstdc++-12-dev-arm64-cross libstdc++-12-dev-armhf-cross
      ;;
    host-clang) echo clang ;;
    aarch64) echo g++-aarch64-linux-gnu qemu-user python3-venv qemu-system-arm cpio kmod e2fsprogs ;;
    armv7) echo g++-arm-linux-gnueabihf qemu-user ;;
  esac
}

# Adds the results in ctest's JUnit file to the totals. Does not count disabled and skipped tests.
count_results() {
  local tests failures skipped disabled
  read -r tests failures disabled skipped < <(tr '\n' ' ' < "$1" |
    sed 's/.*<testsuite [^>]*tests="\([0-9]*\)"[^>]*failures="\([0-9]*\)"[^>]*disabled="\([0-9]*\)"[^>]*skipped="\([0-9]*\)".*/\1 \2 \3 \4\n/')
  passed=$((passed + tests - failures - disabled - skipped))
  failed=$((failed + failures))
  say "$preset: $((tests - failures - disabled - skipped)) passed, $failures failed, $((skipped + disabled)) skipped"
}

run_preset() {
  local preset=$1 junit=$logs/$1-tests.xml
  say "$preset: configuring"
  configure "$preset" "$logs" || return 1
  say "$preset: building"
  build "$preset" "$logs" || return 1
  say "$preset: testing"
  rm -f "$junit"
  ctest --preset "$preset" --parallel "$(nproc)" --timeout 900 --output-junit "$junit" > "$logs/$preset-tests.log" 2>&1
  local status=$?
  if [ ! -s "$junit" ]; then
    tail -20 "$logs/$preset-tests.log" >&2
    return 1
  fi
  local failed_before=$failed
  count_results "$junit"
  if [ $status != 0 ]; then
    if [ $failed = $failed_before ]; then failed=$((failed + 1)); fi  # a test did not start
    sed -n '/(Failed)\|\*\*\*/p' "$logs/$preset-tests.log" | sort -u
    say "$preset: what failed is in $logs/$preset-tests.log; its end:"
    grep -v '   Passed ' "$logs/$preset-tests.log" | tail -60
  fi
  return 0
}

main() {
  local preset packages=(g++ cmake ninja-build python3 xz-utils ccache lintian man-db) presets=("$@")
  if [ $# = 0 ]; then presets=(host host-debug host-clang aarch64 armv7); fi
  for preset in "${presets[@]}"; do
    # shellcheck disable=SC2207  # preset names have no spaces
    packages+=($(packages_of "$preset"))
  done
  install_packages "${packages[@]}"
  for preset in "${presets[@]}"; do
    if ! run_preset "$preset"; then
      say "$preset: could not be built: see $logs/$preset-*.log"
      failed=$((failed + 1))
    fi
  done
  say "done"
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}

main "$@"
