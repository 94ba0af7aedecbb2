# SPDX-License-Identifier: Apache-2.0
# Sourced by scripts that read Debian's archive with lists of their own.

# debian_source KIND OPTIONS SUITE...: a line of sources.list for each suite, KIND being deb or deb-src, with the address and
# the key that this machine reads its packages with. Fails where it reads none of Debian's.
debian_source() {
  local kind=$1 options=$2 uri key= suite
  if [ -f /etc/apt/sources.list.d/debian.sources ]; then
    uri=$(awk '/^URIs:/ { print $2; exit }' /etc/apt/sources.list.d/debian.sources)
    key=$(awk '/^Signed-By:/ { print $2; exit }' /etc/apt/sources.list.d/debian.sources)
  else  # some of these files may be missing
    uri=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
      sed -n 's/^deb\(-src\)\? *\(\[[^]]*\]\)\? *\([^ ]*\) .*\<main\>.*/\3/p' | head -1) || true
  fi
  [ -n "$uri" ] || return 1
  case $key in /*) ;; *) key=/usr/share/keyrings/debian-archive-keyring.gpg ;; esac
  if [ -f "$key" ]; then options="signed-by=$key $options"; fi
  for suite in "${@:3}"; do
    echo "$kind ${options:+[${options% }] }$uri $suite main"
  done
}
