// SPDX-License-Identifier: GPL-2.0
/*
 * A QEMU TCG plugin that counts the guest's instructions, those of its kernel and those of its
 * programs apart, between the marks that programs of the bench set (mark.h). Each section, from a
 * START to the next STOP, becomes a line "section NUMBER user N kernel N" in the file out=FILE. With
 * blocks=on, a line "ADDRESS COUNT" follows for each translated block that ran in the section.
 *
 * Counting is per translated block, so a block left early by a page fault counts in full.
 */
#include <stdbool.h>

#include "shared.h"


struct block {
	struct key place;	/* address, and number of instructions */
	uint64_t runs;
};

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static struct block blocks[1 << TABLE_BITS];
static uint64_t user, kernel, user_at_start, kernel_at_start;
static bool with_blocks;
static int section;
static FILE *out;

static void start(void)
{
	for (int i = 0; with_blocks && i < 1 << TABLE_BITS; i++)
		blocks[i].runs = 0;
	user_at_start = user;
	kernel_at_start = kernel;
}

static void stop(void)
{
	fprintf(out, "section %d user %" PRIu64 " kernel %" PRIu64 "\n", ++section,
		user - user_at_start, kernel - kernel_at_start);
	for (int i = 0; with_blocks && i < 1 << TABLE_BITS; i++)
		if (blocks[i].runs)
			fprintf(out, "%" PRIx64 " %" PRIu64 "\n", blocks[i].place.first,
				blocks[i].runs * blocks[i].place.second);
	fflush(out);
}

static void at_mark(unsigned int cpu, void *word)
{
	(void)cpu;
	if ((uintptr_t)word == MARK_START)
		start();
	else if ((uintptr_t)word == MARK_STOP)
		stop();
}

static void at_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	uint64_t address = qemu_plugin_tb_vaddr(tb), length = qemu_plugin_tb_n_insns(tb);
	struct block *block;

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64,
						 address & KERNEL_HALF ? &kernel : &user, length);
	if (with_blocks) {
		block = find_entry(blocks, sizeof(*block), address, length);
		qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &block->runs, 1);
	}
	for (size_t i = 0; i < length; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uintptr_t word = mark_of(insn);

		if (word)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, at_mark, QEMU_PLUGIN_CB_NO_REGS, (void *)word);
	}
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4)) {
			out = fopen(argv[i] + 4, "w");
		} else if (!strcmp(argv[i], "blocks=on")) {
			with_blocks = true;
		} else {
			fprintf(stderr, "count: unknown argument %s\n", argv[i]);
			return -1;
		}
	}
	if (!out) {
		fprintf(stderr, "count: out=FILE is missing, or cannot be written\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, at_translation);
	return 0;
}
