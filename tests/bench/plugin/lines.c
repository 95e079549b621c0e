// SPDX-License-Identifier: GPL-2.0
/*
 * A QEMU TCG plugin that tells which cache lines the guest's kernel touches on which CPU, while as many
 * programs as programs=N says are between their marks (mark.h). The first program that comes to its
 * last mark only wakes it up: before, the guest runs at full speed. Each time that they are, "section"
 * and then, for each line and instruction, "LINE INSTRUCTION LOADS STORES LOADS STORES ..." in the file
 * out=FILE, two numbers for each CPU.
 */
#include <pthread.h>
#include <stdbool.h>

#include "shared.h"

#define LINE_BITS 6
#define CPUS 4

struct access {
	struct key place;	/* line, and address of the instruction */
	uint64_t loads[CPUS];
	uint64_t stores[CPUS];
};

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static struct access accesses[1 << TABLE_BITS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static qemu_plugin_id_t self;
static bool awake;
static int programs = 2, running;
static FILE *out;

static void at_access(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t address, void *instruction)
{
	struct access *access;

	if (__atomic_load_n(&running, __ATOMIC_RELAXED) < programs || !(address & KERNEL_HALF) || cpu >= CPUS)
		return;
	pthread_mutex_lock(&lock);
	access = find_entry(accesses, sizeof(*access), address >> LINE_BITS, (uintptr_t)instruction);
	if (qemu_plugin_mem_is_store(info))
		access->stores[cpu]++;
	else
		access->loads[cpu]++;
	pthread_mutex_unlock(&lock);
}

static void report(void)
{
	fprintf(out, "section\n");
	for (int i = 0; i < 1 << TABLE_BITS; i++) {
		const struct access *access = &accesses[i];

		if (!access->place.second)
			continue;
		fprintf(out, "%" PRIx64 " %" PRIx64, access->place.first << LINE_BITS, access->place.second);
		for (int cpu = 0; cpu < CPUS; cpu++)
			fprintf(out, " %" PRIu64 " %" PRIu64, access->loads[cpu], access->stores[cpu]);
		fputc('\n', out);
	}
	fflush(out);
	memset(accesses, 0, sizeof(accesses));
}

static void at_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);

static void again(qemu_plugin_id_t id)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, at_translation);
}

static void at_mark(unsigned int cpu, void *word)
{
	(void)cpu;
	pthread_mutex_lock(&lock);
	if (!awake) {
		if ((uintptr_t)word == MARK_STOP) {
			awake = true;
			/* What was translated without a look at its accesses is translated anew. */
			qemu_plugin_reset(self, again);
		}
	} else if ((uintptr_t)word == MARK_START) {
		running++;
	} else if (running-- == programs) {
		report();
	}
	pthread_mutex_unlock(&lock);
}

static void at_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t length = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < length; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(insn);
		uintptr_t word = mark_of(insn);

		if (word)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, at_mark, QEMU_PLUGIN_CB_NO_REGS, (void *)word);
		else if (awake && address & KERNEL_HALF)
			qemu_plugin_register_vcpu_mem_cb(insn, at_access, QEMU_PLUGIN_CB_NO_REGS,
							 QEMU_PLUGIN_MEM_RW, (void *)(uintptr_t)address);
	}
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4)) {
			out = fopen(argv[i] + 4, "w");
		} else if (!strncmp(argv[i], "programs=", 9)) {
			programs = atoi(argv[i] + 9);
		} else {
			fprintf(stderr, "lines: unknown argument %s\n", argv[i]);
			return -1;
		}
	}
	if (!out) {
		fprintf(stderr, "lines: out=FILE is missing, or cannot be written\n");
		return -1;
	}
	self = id;
	qemu_plugin_register_vcpu_tb_trans_cb(id, at_translation);
	return 0;
}
