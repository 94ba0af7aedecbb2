#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# The first process of service_test.sh's machine: finds the disk and the camera, then starts systemd.
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
while read -r module; do insmod "$module"; done < /modules/order
mkdir -p /root
while ! mount -t ext4 /dev/vda /root 2> /dev/null; do sleep 0.1; done
for folder in proc sys dev; do mount --move /$folder /root/$folder; done
exec switch_root /root /usr/lib/systemd/systemd
