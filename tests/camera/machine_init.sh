#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# The first process of the emulated machine: see machine_test.sh.
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
while read -r module; do insmod "$module"; done < /modules/order
while [ ! -e /dev/video0 ]; do sleep 0.1; done

camera() { vitrine camera /model.vit --packed none --json "$@"; }

camera --device /dev/video0 --frames 10 > /tmp/ten
echo "ten decisions: exit $?, $(wc -l < /tmp/ten) lines"
head -c 600 /tmp/ten

for format in yuyv nv12 i420 rgb24 bgr24 gray; do
  camera --device /dev/video0 --format $format --frames 2 > /tmp/$format
  echo "$format: exit $?, $(wc -l < /tmp/$format) lines"
done

: > /tmp/many
camera --device /dev/video0 --size 1280x720 --frames 30 > /tmp/many &
while [ "$(wc -l < /tmp/many)" -lt 5 ]; do sleep 0.2; done
echo vivid.0 > /sys/bus/platform/drivers/vivid/unbind
sleep 2
echo vivid.0 > /sys/bus/platform/drivers/vivid/bind
wait $!
echo "after the camera came back: exit $?, $(wc -l < /tmp/many) lines"
tail -n 1 /tmp/many

: > /tmp/stopped
vitrine camera /model.vit --packed none --json --device /dev/video0 > /tmp/stopped &
while [ "$(wc -l < /tmp/stopped)" -lt 3 ]; do sleep 0.2; done
kill $!
wait $!
echo "stopped: exit $?"
poweroff -f
