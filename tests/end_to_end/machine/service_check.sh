#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs the checks of service_test.sh inside its machine. Prints "ok: ..." for each check that passes.
readonly unit=vitrine-camera.service page=http://127.0.0.1:8080

check() {
  local name=$1
  shift
  if "$@" > /tmp/check.log 2>&1; then echo "ok: $name"; else echo "WRONG: $name"; tail -n 20 /tmp/check.log; fi
}

# within SECONDS COMMAND...: repeats the command until it succeeds or the time is over.
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.2
  done
}

get() { busybox wget -q -T 5 -O - "$page$1"; }
has() { grep -q "$@"; }
says() { get "$1" > /tmp/got && has "$2" /tmp/got; }
logged() { journalctl -b -u $unit --no-pager > /tmp/journal && has "$1" /tmp/journal; }
property() { systemctl show $unit -p "$1" --value; }
is_gone() { ! "$@"; }

# Lists everything that a package could leave: files, users and groups.
inventory() {
  find / -xdev \( -path /run -o -path /tmp -o -path /var/log -o -path '/var/lib/dpkg/*' -o -path /var/cache -o -path /var/lib/systemd \
    -o -name '*-' -o -name '.pwd.lock' \) -prune -o -print | sort
  sort /etc/passwd /etc/group
}

inventory > /tmp/before
check 'installs' dpkg -i /vitrine.deb
check 'its user is in group video' has '^video:.*vitrine' /etc/group
check 'a person turns the camera on' test "$(systemctl is-enabled $unit)-$(property ActiveState)" = disabled-inactive
check 'is enabled and started' systemctl enable --now $unit
check 'says that the model is missing' within 20 logged 'No model yet. Copy a .vit file'
install -m 644 /model.vit /var/lib/vitrine/model.vit
check 'answers with a label' within 40 says /api/last '"label":"[a-z]'
cat /tmp/got
check 'answers with metrics' says /metrics '^vitrine_'
# The page answers 503, as documented, if no frame is done within a second: an emulated CPU needs two seconds for one.
check 'answers with a picture' within 20 says /snapshot.jpg JFIF
check 'has written packed weights' test "$(stat -c %U /var/lib/vitrine/model.vit.packed)" = vitrine
check 'runs as its user' test "$(stat -c %U "/proc/$(property MainPID)")" = vitrine
check 'was not started twice' test "$(property NRestarts)" = 0
begin=$SECONDS
check 'stops' systemctl stop $unit
took=$((SECONDS - begin))
check 'has stopped well' test "$(property Result)" = success
echo "stopped in $took s"
check 'keeps its model when it is removed' eval 'dpkg -r vitrine && test -e /var/lib/vitrine/model.vit'
check 'is purged' dpkg --purge vitrine
inventory > /tmp/after
check 'leaves nothing behind' diff /tmp/before /tmp/after
journalctl -b -u $unit --no-pager -o cat | head -30
echo "everything was looked at"
systemctl poweroff --force --force
