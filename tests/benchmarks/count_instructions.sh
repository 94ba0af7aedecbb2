#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Counts the instructions of one inference of ViT-S/16 at 224 x 224 with one thread on emulated ARM CPUs. Unlike times, the
# counts are exact and repeatable. The result is half the difference between a run of three inferences and a run of one, which
# excludes loading and packing.
#
#   tests/benchmarks/count_instructions.sh [-j FILE] [-m MODEL.vit] [-l LEVEL] [-v VITRINE] [CPU...]
#
# -j FILE writes the counts to FILE, one JSON object per CPU. -m MODEL.vit counts another model, -l LEVEL one of its levels.
# -v VITRINE replaces build/aarch64/bin/vitrine. CPU is one of toolchains/emulator/sysroots (default: cortex-a72
# cortex-a76 max).
# Needs build/host/bin/vitrine-convert, or the program in $VITRINE_CONVERT.
set -euo pipefail
cd "$(dirname "$0")/../.."
source toolchains/packages.sh
readonly cache=.cache/benchmarks
fail() { echo "count_instructions.sh: $*" >&2; exit 1; }

model='' level=0 vitrine=build/aarch64/bin/vitrine convert=${VITRINE_CONVERT:-build/host/bin/vitrine-convert} json=''
while getopts j:m:l:v: option; do
  case $option in
    j) json=$OPTARG ;;
    m) model=$OPTARG ;;
    l) level=$OPTARG ;;
    v) vitrine=$OPTARG ;;
    *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))
if [ $# = 0 ]; then set -- cortex-a72 cortex-a76 max; fi

# Prints the path of a Python with numpy: the benchmark's own, or the system's.
find_python() {
  if [ -x .cache/peers/bin/python ]; then
    echo .cache/peers/bin/python
  else
    python3 -c 'import numpy' 2>/dev/null || install_packages python3-numpy >&2
    echo python3
  fi
}

make_model() {
  local checkpoint=$cache/vit_s16.safetensors
  [ -x "$convert" ] || fail "there is no $convert: build the preset host"
  mkdir -p $cache
  [ -s $checkpoint.args.json ] || "$(find_python)" tests/benchmarks/make_vit.py $checkpoint 384 12 6
  model=$cache/vit_s16.dynamic.vit
  "$convert" $checkpoint -o $model --config $checkpoint.args.json --json > /dev/null
}

# count CPU RUNS: prints the counter's JSON line for RUNS inferences.
count() {
  local line
  line=$(mktemp)
  toolchains/emulator/count.sh -o "$line" "$1" "$vitrine" bench "$model" --level "$level" --threads 1 --packed none --warmup-runs 0 \
    --num-runs "$2" > /dev/null
  cat "$line"
  rm "$line"
}

# per_inference CPU LINE-OF-ONE LINE-OF-THREE: prints one JSON object.
per_inference() {
  python3 -c 'import json, sys
one, three = (json.loads(line) for line in sys.argv[2:])
counts = {key: (three[key] - one[key]) / 2 for key, value in one.items() if type(value) is int and key != "label"}
print(json.dumps({"cpu": sys.argv[1], **counts}))' "$@"
}

print_row() {
  python3 -c 'import json, sys
row = json.loads(sys.argv[1])
columns = ["instructions", "simd", "dot", "mmla", "mull mlal", "fmla_f32", "loads"]
millions = [sum(row[kind] for kind in column.split()) / 1e6 for column in columns]
print("  %-12s" % row["cpu"] + "".join("%11.1f" % count for count in millions))' "$1"
}

[ -x "$vitrine" ] || fail "there is no $vitrine: build the preset aarch64"
install_packages qemu-user
if [ -z "$model" ]; then make_model; fi
if [ -n "$json" ]; then : > "$json"; fi

echo "$model, one thread, million instructions an inference"
printf '  %-12s%11s%11s%11s%11s%11s%11s%11s\n' '' all SIMD dot mmla mull+mlal f32-fma loads
for cpu in "$@"; do
  result=$(per_inference "$cpu" "$(count "$cpu" 1)" "$(count "$cpu" 3)")
  print_row "$result"
  if [ -n "$json" ]; then echo "$result" >> "$json"; fi
done
