// SPDX-License-Identifier: Apache-2.0
// The part of QEMU's plugin interface, version 1, that the counter uses. Debian installs no header for it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;    // a translated block: instructions without a branch between them
struct qemu_plugin_insn;

typedef struct {
  const char *target_name;  // "aarch64", "arm"
  struct {
    int min, cur;
  } version;
  bool system_emulation;
} qemu_info_t;

enum { QEMU_PLUGIN_CB_NO_REGS = 0 };

typedef void (*qemu_plugin_tb_trans_t)(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*qemu_plugin_tb_exec_t)(unsigned vcpu, void *data);
typedef void (*qemu_plugin_exit_t)(qemu_plugin_id_t, void *data);
typedef void (*qemu_plugin_syscall_t)(qemu_plugin_id_t, unsigned vcpu, int64_t number, uint64_t, uint64_t, uint64_t,
                                      uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, qemu_plugin_tb_trans_t);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, qemu_plugin_tb_exec_t, int flags, void *data);
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t, qemu_plugin_syscall_t);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, qemu_plugin_exit_t, void *data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *);  // of the function; lives as long as QEMU
