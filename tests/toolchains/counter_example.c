/* SPDX-License-Identifier: Apache-2.0 */
/* A window with a known number of instructions, for counter_test.sh: 1000 times four, two of them dot products. */
#define _GNU_SOURCE
#include <unistd.h>

int main(void) {
  syscall(9001, 1, 0);
  __asm__ volatile(
      ".arch armv8.2-a+dotprod\n"
      "mov x9, #1000\n"
      "1: sdot v0.4s, v1.16b, v2.16b\n"
      "sdot v0.4s, v1.16b, v2.4b[0]\n"
      "subs x9, x9, #1\n"
      "b.ne 1b\n" ::: "x9", "v0", "cc");
  syscall(9001, 2, 7);
  return 0;
}
