#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What service_test.sh does within its machine. Says "ok: ..." for each thing that is as it should be.
readonly unit=vitrine-camera.service page=http://127.0.0.1:8080

check() {
  local name=$1
  shift
  if "$@" > /tmp/check.log 2>&1; then echo "ok: $name"; else echo "WRONG: $name"; tail -n 20 /tmp/check.log; fi
}

# within SECONDS COMMAND...: until the command succeeds.
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

# Everything that a package could leave: files, and the users.
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
# 503, as documented, while no frame is done within a second of asking: an emulated processor takes two for one.
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
