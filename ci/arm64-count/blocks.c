// A plugin of QEMU's user mode emulator: which instructions a program executed,
// and how often. At exit it writes a line for every block of instructions that
// ran: address, executions, instruction words, all hexadecimal.
//
//   cc -O2 -shared -fPIC -o blocks.so blocks.c
//   qemu-aarch64 -plugin ./blocks.so,out=FILE PROGRAM...
//
// Interface version 1, of QEMU 4.2 to 8.1. Distributions ship the emulator
// without its header, so what is used of the interface is declared here.
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
void qemu_plugin_register_vcpu_tb_trans_cb(
    qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_atexit_cb(
    qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void *), void *);
void qemu_plugin_register_vcpu_tb_exec_inline(
    struct qemu_plugin_tb *, enum qemu_plugin_op, void *, uint64_t);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);

struct block {
  struct block *next;
  uint64_t address, executions;
  size_t n;
  uint32_t words[];
};

static struct block *blocks;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *path = "blocks.txt";

// A block is translated: count it from now on. One that is translated again is
// a block of its own; the reader adds them up.
static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
  size_t n = qemu_plugin_tb_n_insns(tb);
  struct block *b = calloc(1, sizeof *b + n * sizeof *b->words);
  if (!b)
    abort();
  b->address = qemu_plugin_tb_vaddr(tb);
  b->n = n;
  for (size_t i = 0; i < n; i++)
    memcpy(&b->words[i], qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, i)), 4);
  pthread_mutex_lock(&lock);
  b->next = blocks;
  blocks = b;
  pthread_mutex_unlock(&lock);
  qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &b->executions, 1);
}

static void finished(qemu_plugin_id_t id, void *unused) {
  FILE *f = fopen(path, "w");
  if (!f) {
    perror(path);
    return;
  }
  for (struct block *b = blocks; b; b = b->next) {
    if (!b->executions)
      continue;
    fprintf(f, "%" PRIx64 " %" PRIx64 " ", b->address, b->executions);
    for (size_t i = 0; i < b->n; i++)
      fprintf(f, "%08" PRIx32, b->words[i]);
    fputc('\n', f);
  }
  fclose(f);
}

EXPORT int qemu_plugin_version = 1;

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv) {
  for (int i = 0; i < argc; i++)
    if (!strncmp(argv[i], "out=", 4))
      path = strdup(argv[i] + 4);
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, finished, NULL);
  return 0;
}
