#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs missing packages, builds vitrine, converts the waste classifier of this repository and runs it on the sample
# photos. Works on a fresh Debian. The first run takes a few minutes, a second run a few seconds.
#
#   toolchains/quickstart.sh
set -euo pipefail
cd "$(dirname "$0")/.."
source toolchains/packages.sh
readonly logs=$PWD/build/logs bin=build/host/bin
readonly checkpoint=models/dinov2-small-waste model=build/quickstart/dinov2-small-waste.vit

# value JSON PATH.TO.FIELD: prints a field.
value() { python3 -c 'import functools, json, sys
print(functools.reduce(lambda object, key: object[key], sys.argv[2].split("."), json.loads(sys.argv[1])))' "$1" "$2"; }

megabytes() { awk -v bytes="$1" 'BEGIN { printf "%.1f MB", bytes / 1e6 }'; }

# Reads lines of `vitrine classify --json` and prints each image with its most probable classes.
print_classes() { python3 -c 'import json, sys
for line in sys.stdin:
    result = json.loads(line)
    print("\n  %s (%.0f ms)" % (result["image"], result["latency_ms"]))
    for entry in result["top"]:
        print("    %5.1f %%  %s" % (100 * entry["probability"], entry["label"]))'; }

install_packages g++ cmake ninja-build python3 xz-utils

say "building vitrine and vitrine-convert"
if [ ! -f build/host/build.ninja ]; then configure host "$logs" -DVITRINE_BUILD_TESTS=OFF; fi
build host "$logs" vitrine_command vitrine-convert

say "converting $checkpoint to int8"
mkdir -p build/quickstart
$bin/vitrine-convert $checkpoint -o $model

say "classifying the sample photos"
$bin/vitrine classify $model models/samples/*.jpg --top-k 5 --json | print_classes

say "measuring"
bench=$($bin/vitrine bench $model --threads "$(nproc)" --json)
file_bytes=$(value "$($bin/vitrine inspect $model --json)" file_bytes)
cat <<END

  latency  $(value "$bench" latency_ms.p50 | xargs printf '%.1f') ms (median of $(value "$bench" runs) runs, $(value "$bench" threads) threads, $(value "$bench" cpu))
  arena    $(megabytes "$(value "$bench" arena_bytes)")
  file     $(megabytes "$file_bytes")

Try your own photo:  $bin/vitrine classify $model PHOTO.jpg
END
say "done"
