#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs the package for arm64 on an emulated machine (machine.sh) with systemd, runs its service, and purges it.
#
#   tests/end_to_end/machine/service_test.sh PACKAGES-FOLDER MODEL.vit
set -euo pipefail
cd "$(dirname "$0")/../../.."
readonly packages=$1 model=$2
source tests/end_to_end/machine/machine.sh

# make_disk FOLDER IMAGE: makes a Debian disk with systemd, which starts service_check.sh and only the units that it needs.
make_disk() {
  local folder=$1 image=$2 units=$1/etc/systemd/system
  cp -al "$cache/system" "$folder"
  mkdir -p "$units/multi-user.target.wants"
  cp "$folder/usr/share/base-passwd/passwd.master" "$folder/etc/passwd"
  cp "$folder/usr/share/base-passwd/group.master" "$folder/etc/group"
  [ -e "$folder/usr/bin/sh" ] || ln -s dash "$folder/usr/bin/sh"
  rm -rf "$folder"/usr/share/{doc,locale,man,zoneinfo,i18n} "$folder"/usr/lib/udev/hwdb.d
  mkdir -p "$folder/var/lib/dpkg/updates" "$folder/var/lib/dpkg/triggers"
  : > "$folder/etc/machine-id"
  for unit in systemd-hwdb-update systemd-update-done systemd-firstboot systemd-random-seed systemd-timesyncd systemd-networkd \
    ldconfig systemd-journal-catalog-update e2scrub_reap modprobe@ systemd-modules-load systemd-pstore; do
    ln -sf /dev/null "$units/$unit.service"
  done
  cat > "$units/check.service" << 'EOF'
[Unit]
Requires=basic.target
After=basic.target systemd-udev-trigger.service
[Service]
ExecStartPre=/usr/bin/udevadm settle
ExecStart=/bin/bash /service_check.sh
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console
EOF
  cp tests/end_to_end/machine/service_check.sh "$folder/"
  cp "$packages"/vitrine_*_arm64.deb "$folder/vitrine.deb"
  cp "$model" "$folder/model.vit"
  truncate -s 400M "$image"
  /sbin/mkfs.ext4 -q -O '^has_journal' -d "$folder" "$image"
}

[ "$(id -u)" = 0 ] || skip "a disk whose files are root's is made by root"
fetch_kernel
install_packages e2fsprogs
fetch system systemd udev dpkg dash bash busybox-static passwd init-system-helpers perl-base coreutils base-files base-passwd \
  libstdc++6 util-linux mount grep sed findutils diffutils libc-bin tar
work=$(mktemp -d -p "$cache")  # the disk's folder has hard links to the cache, so both need the same file system
trap 'rm -rf "$work"' EXIT
make_disk "$work/disk" "$work/disk.ext4"
mkdir "$work/initrd"
make_initrd "$work/initrd" vivid crc32c_generic ext4 virtio_mmio virtio_blk
install -m 755 tests/end_to_end/machine/service_init.sh "$work/initrd/init"
run_machine "$work/initrd" "$work/log" 240 \
  -drive "file=$work/disk.ext4,format=raw,if=none,id=disk" -device virtio-blk-device,drive=disk \
  -append "console=ttyAMA0 quiet panic=-1 systemd.unit=check.service systemd.journald.forward_to_console=0"
if grep -q '^WRONG' "$work/log"; then exit 1; fi
expect "$work/log" 'ok: answers with a label' 'ok: has stopped well' 'ok: leaves nothing behind' 'everything was looked at'
