// SPDX-License-Identifier: Apache-2.0
// A plugin for qemu-user that counts the instructions an ARM program executes, exactly and repeatably.
//
//   -plugin counter.so,out=FILE,top=N     appends one JSON line a window to FILE, with the N costliest functions
//
// A program marks a window with syscall(9001, 1, 0) at its start and syscall(9001, 2, label) at its end, which a real
// kernel refuses without harm. A run without marks is one window, with label 0.
//
// QEMU translates a program block by block. Each block is classified once, when it is translated, and counts how often
// it runs; a window is the sum over blocks of runs times what is in the block.
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classify.h"
#include "qemu_plugin.h"

enum { kBucketCount = 65536, kMarkSyscall = 9001, kMarkStart = 1, kMarkEnd = 2 };

typedef struct Block {
  uint64_t runs;           // since the program started
  uint64_t runs_at_start;  // of the window
  uint64_t address;
  uint32_t length, hash;   // of its instructions: other code may come to stand at the same address
  const char *symbol;
  uint16_t counts[kClassCount];
  struct Block *next;
} Block;

typedef struct {
  const char *symbol;
  uint64_t instructions;
} Function;

int qemu_plugin_version __attribute__((visibility("default"))) = 1;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Block *buckets[kBucketCount];
static FILE *out;
static size_t top;
static bool is_a64, marked;

static uint32_t Word(const struct qemu_plugin_insn *instruction) {
  uint32_t word = 0;
  memcpy(&word, qemu_plugin_insn_data(instruction), qemu_plugin_insn_size(instruction) == 2 ? 2 : 4);
  return word;
}

// QEMU does not say which 32-bit instruction set a block is in: T32 shows by a short or unaligned instruction.
static bool LooksLikeT32(const struct qemu_plugin_tb *tb) {
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
    const struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(tb, i);
    if (qemu_plugin_insn_size(instruction) == 2 || qemu_plugin_insn_vaddr(instruction) & 2) return true;
  }
  return false;
}

static void ClassifyBlock(const struct qemu_plugin_tb *tb, uint16_t *counts) {
  const bool t32 = !is_a64 && LooksLikeT32(tb);
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
    const struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(tb, i);
    const uint32_t word = Word(instruction);
    if (is_a64) {
      ClassifyA64(word, counts);
    } else if (qemu_plugin_insn_size(instruction) == 2) {
      ClassifyT16(word, counts);
    } else if (t32) {
      ClassifyT32(word << 16 | word >> 16, counts);
    } else {
      ClassifyA32(word, counts);
    }
  }
}

static uint32_t Hash(const struct qemu_plugin_tb *tb) {  // FNV-1a
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
    hash = (hash ^ Word(qemu_plugin_tb_get_insn(tb, i))) * 16777619u;
  }
  return hash;
}

// Returns the record of a block, which is made when the block is seen for the first time. Needs the mutex.
static Block *FindBlock(const struct qemu_plugin_tb *tb) {
  const struct qemu_plugin_insn *first = qemu_plugin_tb_get_insn(tb, 0);
  const uint64_t address = qemu_plugin_insn_vaddr(first);
  const uint32_t length = qemu_plugin_tb_n_insns(tb), hash = Hash(tb);
  Block **bucket = &buckets[(uint32_t)(address >> 1) * 2654435761u % kBucketCount];
  for (Block *block = *bucket; block; block = block->next) {
    if (block->address == address && block->length == length && block->hash == hash) return block;
  }
  Block *block = calloc(1, sizeof *block);
  if (!block) abort();
  const char *symbol = qemu_plugin_insn_symbol(first);
  *block = (Block){.address = address, .length = length, .hash = hash, .symbol = symbol ? symbol : "", .next = *bucket};
  ClassifyBlock(tb, block->counts);
  return *bucket = block;
}

static void CountRun(unsigned vcpu, void *runs) {
  (void)vcpu;
  __atomic_fetch_add((uint64_t *)runs, 1, __ATOMIC_RELAXED);
}

static void OnTranslate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
  (void)id;
  pthread_mutex_lock(&mutex);
  Block *block = FindBlock(tb);
  pthread_mutex_unlock(&mutex);
  // QEMU's inline addition would be faster, but loses counts when threads run the same block.
  qemu_plugin_register_vcpu_tb_exec_cb(tb, CountRun, QEMU_PLUGIN_CB_NO_REGS, &block->runs);
}

static int BySymbol(const void *a, const void *b) {
  return strcmp(((const Function *)a)->symbol, ((const Function *)b)->symbol);
}

static int ByInstructions(const void *a, const void *b) {
  const uint64_t x = ((const Function *)a)->instructions, y = ((const Function *)b)->instructions;
  return x < y ? 1 : x > y ? -1 : 0;
}

// Prints the costliest functions from what each block ran in the window; sorts and merges `functions` in place.
static void PrintTop(Function *functions, size_t count) {
  size_t merged = 0;
  qsort(functions, count, sizeof *functions, BySymbol);
  for (size_t i = 0; i < count; i++) {
    if (merged && !strcmp(functions[merged - 1].symbol, functions[i].symbol)) {
      functions[merged - 1].instructions += functions[i].instructions;
    } else {
      functions[merged++] = functions[i];
    }
  }
  qsort(functions, merged, sizeof *functions, ByInstructions);
  fprintf(out, ", \"top\": [");
  for (size_t i = 0; i < merged && i < top; i++) {
    fprintf(out, "%s[\"%s\", %llu]", i ? ", " : "", functions[i].symbol, (unsigned long long)functions[i].instructions);
  }
  fprintf(out, "]");
}

// Prints the window since its start. Needs the mutex.
static void Report(uint64_t label) {
  uint64_t totals[kClassCount] = {0};
  size_t count = 0, capacity = 0;
  Function *functions = NULL;
  for (int bucket = 0; bucket < kBucketCount; bucket++) {
    for (const Block *block = buckets[bucket]; block; block = block->next) {
      const uint64_t runs = block->runs - block->runs_at_start;
      if (!runs) continue;
      for (int class = 0; class < kClassCount; class++) totals[class] += runs * block->counts[class];
      if (count == capacity) {
        functions = realloc(functions, (capacity = 2 * capacity + 64) * sizeof *functions);
        if (!functions) abort();
      }
      functions[count++] = (Function){block->symbol, runs * block->length};
    }
  }
  fprintf(out, "{\"label\": %llu", (unsigned long long)label);
  for (int class = 0; class < kClassCount; class++) {
    fprintf(out, ", \"%s\": %llu", kClassNames[class], (unsigned long long)totals[class]);
  }
  if (top) PrintTop(functions, count);
  fprintf(out, "}\n");
  fflush(out);
  free(functions);
}

static void StartWindow(void) {
  for (int bucket = 0; bucket < kBucketCount; bucket++) {
    for (Block *block = buckets[bucket]; block; block = block->next) block->runs_at_start = block->runs;
  }
}

static void OnSyscall(qemu_plugin_id_t id, unsigned vcpu, int64_t number, uint64_t mark, uint64_t label, uint64_t a3,
                      uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {
  (void)id, (void)vcpu, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
  if (number != kMarkSyscall) return;
  pthread_mutex_lock(&mutex);
  marked = true;
  if (mark == kMarkStart) StartWindow();
  if (mark == kMarkEnd) Report(label);
  pthread_mutex_unlock(&mutex);
}

static void OnExit(qemu_plugin_id_t id, void *data) {
  (void)id, (void)data;
  if (!marked) Report(0);
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                                               char **argv) {
  out = stderr;
  is_a64 = !strcmp(info->target_name, "aarch64");
  for (int i = 0; i < argc; i++) {
    if (!strncmp(argv[i], "top=", 4)) top = strtoul(argv[i] + 4, NULL, 10);
    if (!strncmp(argv[i], "out=", 4) && !(out = fopen(argv[i] + 4, "a"))) {
      fprintf(stderr, "counter: cannot write %s\n", argv[i] + 4);
      return 1;
    }
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, OnTranslate);
  qemu_plugin_register_vcpu_syscall_cb(id, OnSyscall);
  qemu_plugin_register_atexit_cb(id, OnExit, NULL);
  return 0;
}
