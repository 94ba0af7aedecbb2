#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs the programs that host_peers.py compares vitrine with, at pinned versions, into .cache/peers (a virtual
# environment of its own). Does nothing when they are there.
#
#   tests/benchmarks/install_peers.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
source toolchains/packages.sh
readonly environment=.cache/peers requirements=tests/benchmarks/requirements.txt

if cmp -s $requirements $environment/requirements.txt; then exit; fi
python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv
say "installing $(paste -sd' ' $requirements)"
python3 -m venv --clear $environment
$environment/bin/pip install --quiet --disable-pip-version-check --requirement $requirements
cp $requirements $environment/
say "done: $environment/bin/python tests/benchmarks/host_peers.py"
