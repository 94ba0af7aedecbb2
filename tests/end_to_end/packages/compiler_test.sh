#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Without the ARM compiler, the package and wheel scripts first install it and report this. If they cannot install it, they
# print one line with the command to run. PATH contains only a folder of stand-ins that simulates such a machine.
#
#   tests/end_to_end/packages/compiler_test.sh
set -euo pipefail
cd "$(dirname "$0")/../../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work
fail() { echo "$*" >&2; exit 1; }
stand_in() { printf '#!/bin/bash\n%s\n' "$2" > "$work/$1"; chmod +x "$work/$1"; }

for program in dirname grep mktemp tail rm; do ln -s "$(command -v $program)" "$work/$program"; done
stand_in dpkg-query 'exit 1'
stand_in apt-get "echo \"\$@\" >> $work/installed; [[ \$1 == update ]]"  # fails after `update`, so that the scripts stop here

# shellcheck disable=SC2086  # a script and its preset
for script in "raspberrypi/package.sh aarch64" "raspberrypi/package.sh armv7" "python/wheel.sh aarch64"; do
  compiler=g++-aarch64-linux-gnu
  if [[ $script == *armv7 ]]; then compiler=g++-arm-linux-gnueabihf; fi
  stand_in id 'echo 1000'
  if PATH=$work platforms/$script > "$work/said" 2>&1; then fail "$script went on without a compiler"; fi
  [ "$(cat "$work/said")" = "needed and not installed: as root, apt-get install $compiler" ] || fail "$script: $(cat "$work/said")"

  stand_in id 'echo 0'
  if PATH=$work platforms/$script > "$work/said" 2>&1; then fail "$script went on without a compiler"; fi
  grep -q "installing $compiler$" "$work/said" || fail "$script: $(cat "$work/said")"
  [ "$(tail -1 "$work/installed")" = "install --yes --no-install-recommends $compiler" ] || fail "$script: $(cat "$work/installed")"

  stand_in "${compiler#g++-}-g++" ''
  : > "$work/installed"
  PATH=$work platforms/$script > /dev/null 2>&1 || true  # stops because cmake is missing
  ! grep -q g++ "$work/installed" || fail "$script installs what is there: $(cat "$work/installed")"
  rm "$work/${compiler#g++-}-g++"
done
