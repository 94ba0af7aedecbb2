#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tests the wheel for aarch64 under Debian's Python for arm64 on an emulated CPU.
#
#   tests/python/emulated_test.sh WHEEL-FOLDER VITRINE PROCESSOR TEST...
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly wheels=$1 vitrine=$2 processor=$3
source tests/end_to_end/machine/machine.sh
source tests/python/lay_out.sh
[ -e build/python/nameless.vit ] || skip "build/python is empty: run the host's tests first"

fetch python python3 python3-numpy python3-cffi-backend
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp build/python/*.vit "$work"
ask_command "$work" toolchains/emulator/run.sh "$processor" "$vitrine"
"$(platforms/python/environment.sh)" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --target "$work/site" \
  --only-binary=:all: --platform "$(basename "$wheels"/*.whl .whl | sed 's/.*-none-//')" "$wheels"/*.whl

# Links Debian's files and the CPU information of the emulated board.
root=$work/root program=$work/site/vitrine/vitrine-convert
mkdir -p "$root/proc"
ln -s "$cache/python/usr" "$root/usr"
ln -s usr/lib "$root/lib"
ln -s "$PWD/toolchains/emulator/sysroots/$processor/proc/cpuinfo" "$root/proc/"
libraries=/usr/lib/aarch64-linux-gnu  # replaces Debian's alternatives, which select the blas
emulator=(qemu-aarch64 -L "$root" -cpu "$processor" -E "LD_LIBRARY_PATH=$libraries/blas:$libraries/lapack")
# The kernel runs child processes natively, so the converter is replaced by a script that starts it in the emulator.
mv "$program" "$program.aarch64"
printf '#!/bin/sh\nexec %s "%s" "$@"\n' "${emulator[*]}" "$program.aarch64" > "$program"
chmod +x "$program"

PYTHONHOME=$cache/python/usr PYTHONPATH=$work/site:tests/python VITRINE_PYTHON_FIXTURE=$work "${emulator[@]}" \
  "$cache"/python/usr/bin/python3.* -B -W error -m unittest --verbose "${@:4}"
