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

# each_format WHAT: reads two frames in each format.
each_format() {
  for format in yuyv nv12 i420 rgb24 bgr24 gray; do
    camera --device /dev/video0 --format $format --frames 2 > /tmp/frames
    echo "$format$1: exit $?, $(wc -l < /tmp/frames) lines"
  done
}

# wait_for LINES FILE
wait_for() {
  while [ "$(wc -l < "$2")" -lt "$1" ]; do sleep 0.2; done
}

each_format ""

: > /tmp/torn
camera --device /dev/video0 --frames 20 > /tmp/torn &
for lines in 3 6 9; do
  wait_for $lines /tmp/torn
  press_control /dev/video0 "Inject V4L2_BUF_FLAG_ERROR"
done
wait $!
echo "after torn frames: exit $?, $(wc -l < /tmp/torn) lines, $(tail -n 1 /tmp/torn | sed 's/.*"damaged":\([0-9]*\).*/\1/') damaged"

: > /tmp/broken
camera --device /dev/video0 --frames 20 > /tmp/broken &
wait_for 5 /tmp/broken
press_control /dev/video0 "Inject Fatal Streaming Error"
wait $!
echo "after the stream broke: exit $?, $(wc -l < /tmp/broken) lines"

: > /tmp/many
camera --device /dev/video0 --size 1280x720 --frames 30 > /tmp/many &
wait_for 5 /tmp/many
echo vivid.0 > /sys/bus/platform/drivers/vivid/unbind
sleep 2
echo vivid.0 > /sys/bus/platform/drivers/vivid/bind
wait $!
echo "after the camera came back: exit $?, $(wc -l < /tmp/many) lines"
tail -n 1 /tmp/many

: > /tmp/stopped
vitrine camera /model.vit --packed none --json --device /dev/video0 > /tmp/stopped &
wait_for 3 /tmp/stopped
kill $!
wait $!
echo "stopped: exit $?"

rmmod vivid
insmod /modules/vivid.ko multiplanar=2
while [ ! -e /dev/video0 ]; do sleep 0.1; done
each_format ", multiplanar=$(cut -d, -f1 /sys/module/vivid/parameters/multiplanar)"
poweroff -f
