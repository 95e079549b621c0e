/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Marks tell the plugin where a measurement starts and stops: a NOP that nobody else uses, so they do
 * nothing where no plugin looks.
 */
#ifndef _BENCH_MARK_H
#define _BENCH_MARK_H

#define MARK_START 0x6b730001
#define MARK_STOP 0x6b730002
/* nopl WORD(%rax,%rax,1) */
#define MARK_OPCODE { 0x0f, 0x1f, 0x84, 0x00 }

static inline __attribute__((unused)) void mark_start(void)
{
	__asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00; .long %c0" : : "i"(MARK_START) : "memory");
}

static inline __attribute__((unused)) void mark_stop(void)
{
	__asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00; .long %c0" : : "i"(MARK_STOP) : "memory");
}

#endif
