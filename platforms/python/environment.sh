#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prints the path of a Python with the packages in requirements.txt. Creates the environment once, in .deps.
#
#   platforms/python/environment.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
source toolchains/packages.sh
readonly requirements=platforms/python/requirements.txt

python3 -c 'import ensurepip, venv' 2> /dev/null || install_packages python3-venv >&2
key=$(python3 -VV | cat - $requirements | sha256sum | cut -c 1-16)
folder=${VITRINE_DEPS_DIR:-$PWD/.deps}/python/$key
mkdir -p "$folder"
exec 8> "$folder/flock"
flock 8
if [ ! -e "$folder/complete" ]; then
  python3 -m venv --clear "$folder/environment"
  "$folder/environment/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: \
    --requirement $requirements >&2
  touch "$folder/complete"
fi
echo "$folder/environment/bin/python"
