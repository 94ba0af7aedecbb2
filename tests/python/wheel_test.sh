#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tests this machine's wheel: builds it twice, compares the bytes, installs it with pip, and runs the tests. Copies the
# models to build/python for the emulated CPUs.
#
#   tests/python/wheel_test.sh PRESET VITRINE CONVERTER
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly preset=$1 vitrine=$2 converter=$3
source tests/python/lay_out.sh

python=$(platforms/python/environment.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
platforms/python/wheel.sh "$preset"
(umask 077 && TZ=Asia/Tokyo LC_ALL=C.UTF-8 platforms/python/wheel.sh "$preset" "$work/again")
wheel=$(echo "build/$preset"/python/*.whl)
cmp "$wheel" "$work/again/$(basename "$wheel")"

# A build without a preset gives the same files. Compiling takes minutes, so this only checks the build plan.
cmake -G Ninja -S platforms/python -B "$work/compiled" -DPython_EXECUTABLE="$python" -DSKBUILD_METADATA_DIR=about > /dev/null
ninja -C "$work/compiled" -n wheel > "$work/plan"
for file in libvitrine.so vitrine-convert _c.py; do grep -q "Generating package/$file" "$work/plan"; done

"$python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --target "$work/site" "$wheel"
convert_models "$converter" "$work"
hand_to_arm "$work"
ask_command "$work" "$vitrine"
PYTHONPATH=$work/site VITRINE_PYTHON_FIXTURE=$work VITRINE_WHEEL=$wheel \
  "$python" -B -W error -m unittest discover --start-directory tests/python --pattern '*_test.py' --verbose
