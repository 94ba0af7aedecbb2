# SPDX-License-Identifier: Apache-2.0
# Sourced by the tests of the package. Writes the files that fixture.py reads.

# convert_models CONVERTER FOLDER
convert_models() {
  local program=$1 folder=$2
  "$program" models/vit-tiny-waste -o "$folder/tiny.vit" --json
  "$program" models/vit-tiny-waste -o "$folder/merging.vit" --merge-tokens 4,8 --json
  "$program" models/vit-tiny-waste -o "$folder/features.vit" --patch-features --json
  "$program" tests/fixtures/vit/timm_hub -o "$folder/small.vit" --json
  "$program" tests/fixtures/vit/timm_vit -o "$folder/nameless.vit" --json
  "$program" tests/fixtures/vit/hf_dinov2_model -o "$folder/headless.vit" --json
}

# ask_command FOLDER VITRINE...: records the command's results. VITRINE... is the command with its arguments.
ask_command() {
  local folder=$1 command=("${@:2}") photos=(models/samples/*.jpg)
  "${command[@]}" classify "$folder/tiny.vit" "${photos[@]}" --logits --packed none --json > "$folder/classify.jsonl"
  "${command[@]}" classify "$folder/nameless.vit" "${photos[@]:0:2}" --packed none --json > "$folder/nameless.jsonl"
  "${command[@]}" embed "$folder/tiny.vit" "${photos[@]:0:2}" --json > "$folder/embed.jsonl"
  "${command[@]}" classify "$folder/merging.vit" "${photos[@]:0:2}" --logits --packed none --json > "$folder/level0.jsonl"
  "${command[@]}" classify "$folder/merging.vit" "${photos[@]:0:2}" --level 1 --logits --packed none --json > "$folder/level1.jsonl"
  "${command[@]}" explain "$folder/tiny.vit" "${photos[0]}" -o "$folder/map.png" --json > "$folder/explain.rollout.jsonl"
  "${command[@]}" explain "$folder/tiny.vit" "${photos[0]}" -o "$folder/map.png" --last-block --json > "$folder/explain.last_block.jsonl"
}

# hand_to_arm FOLDER: copies its models to build/python.
hand_to_arm() {
  local model
  mkdir -p build/python
  for model in "$1"/*.vit; do
    cp "$model" "build/python/$(basename "$model").$$"
    mv "build/python/$(basename "$model").$$" "build/python/$(basename "$model")"
  done
}
