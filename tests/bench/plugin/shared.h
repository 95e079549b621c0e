/* SPDX-License-Identifier: GPL-2.0 */
/* What the plugins have in common: finding marks in the guest's code, and a table by two numbers. */
#ifndef _BENCH_SHARED_H
#define _BENCH_SHARED_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../mark.h"
#include "qemu_plugin.h"

#define TABLE_BITS 20
#define KERNEL_HALF (1ULL << 63)

/* At the start of each entry of a table with 1 << TABLE_BITS entries of @size bytes. */
struct key {
	uint64_t first;
	uint64_t second;	/* 0: this slot is free */
};

/* The entry with this key, made if there is none. Ends QEMU when the table is full. */
static inline void *find_entry(void *table, size_t size, uint64_t first, uint64_t second)
{
	uint64_t slot = (first * 31 + second) * 0x9e3779b97f4a7c15ULL >> (64 - TABLE_BITS);

	for (int i = 0; i < 1 << TABLE_BITS; i++, slot = (slot + 1) & ((1 << TABLE_BITS) - 1)) {
		struct key *key = (struct key *)((char *)table + slot * size);

		if (!key->second)
			*key = (struct key){ .first = first, .second = second };
		if (key->first == first && key->second == second)
			return key;
	}
	fprintf(stderr, "plugin: more than %d entries: raise TABLE_BITS\n", 1 << TABLE_BITS);
	exit(1);
}

/* The mark's word, or 0 if this is another instruction. */
static inline uintptr_t mark_of(const struct qemu_plugin_insn *insn)
{
	static const uint8_t opcode[] = MARK_OPCODE;
	const uint8_t *bytes = qemu_plugin_insn_data(insn);
	uint32_t word;

	if (qemu_plugin_insn_size(insn) != sizeof(opcode) + sizeof(word) ||
	    memcmp(bytes, opcode, sizeof(opcode)))
		return 0;
	memcpy(&word, bytes + sizeof(opcode), sizeof(word));
	return word;
}

#endif
