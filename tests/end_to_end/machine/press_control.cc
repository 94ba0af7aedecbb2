// SPDX-License-Identifier: Apache-2.0
// Presses a button control of a V4L2 camera. vivid has buttons that make it fail.
//
//   press_control /dev/video0 "Inject V4L2_BUF_FLAG_ERROR"
#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>

#include <cstdio>
#include <cstring>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int camera = open(argv[1], O_RDWR);
  v4l2_queryctrl control = {};
  control.id = V4L2_CTRL_FLAG_NEXT_CTRL;
  while (ioctl(camera, VIDIOC_QUERYCTRL, &control) == 0) {
    if (std::strcmp(reinterpret_cast<const char*>(control.name), argv[2]) == 0) {
      v4l2_control press = {control.id, 1};
      return ioctl(camera, VIDIOC_S_CTRL, &press) == 0 ? 0 : 1;
    }
    control.id |= V4L2_CTRL_FLAG_NEXT_CTRL;
  }
  std::fprintf(stderr, "%s has no control \"%s\"\n", argv[1], argv[2]);
  return 1;
}
