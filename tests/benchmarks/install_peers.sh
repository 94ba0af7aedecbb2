#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs pinned versions of the programs that host_peers.py compares with vitrine. Each gets its own virtual environment in
# .cache/peers, because they need different versions of the same libraries. Skips programs that are already installed. If an
# installation fails, this script and the table report it. All programs together take 14 GB, mostly torch and its CUDA
# libraries, which are installed twice: LiteRT and ExecuTorch convert from torch.
#
#   tests/benchmarks/install_peers.sh [PEER]...
set -euo pipefail
cd "$(dirname "$0")/../.."
source toolchains/packages.sh
readonly environments=.cache/peers benchmarks=tests/benchmarks

# install ENVIRONMENT REQUIREMENTS LOG
install() {
  if cmp -s "$2" "$1/requirements.txt"; then return; fi
  say "installing $(grep -v '^#' "$2" | paste -sd' ')"
  python3 -m venv --clear "$1"
  local options
  mapfile -t options < <(sed -nE 's/^# pip: (\S+).*/\1/p' "$2")
  "$1/bin/pip" install --quiet --disable-pip-version-check "${options[@]}" --requirement "$2" > "$3" 2>&1 || return 1
  cp "$2" "$1/requirements.txt"
}

python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv
mkdir -p $environments
peers=("$@")
if [ $# = 0 ]; then
  for requirements in $benchmarks/peers/*.txt; do peers+=("$(basename "$requirements" .txt)"); done
fi
for peer in "${peers[@]}"; do
  log=$environments/$peer.log failed=$environments/$peer.failed
  rm -f "$failed"
  if ! install "$environments/$peer" "$benchmarks/peers/$peer.txt" "$log"; then
    grep -m 1 ERROR "$log" > "$failed" || tail -1 "$log" > "$failed"
    say "$peer: $(cat "$failed")"
  fi
done
if [ ! -x $environments/bin/python ] || ! cmp -s $benchmarks/requirements.txt $environments/requirements.txt; then
  python3 -m venv $environments
  $environments/bin/pip install --quiet --disable-pip-version-check --requirement $benchmarks/requirements.txt
  cp $benchmarks/requirements.txt $environments/
fi
say "done: $environments/bin/python $benchmarks/host_peers.py"
