// SPDX-License-Identifier: GPL-2.0
/*
 * changes NAME TRANSACTIONS: change the IPv4 TCP service NAME of this network namespace a hundred times a second, a
 * hundred endpoints each time: fifty come, which get no connections, and fifty of those go. In the end none of them is
 * there. Prints how many changes there were, and how many a second.
 */
#include <netinet/in.h>
#include <time.h>
#include "family.h"

#define EACH		50
#define PERIOD_NS	10000000LL

/* Endpoint number @i of transaction @n. */
static void put_endpoint(uint16_t type, unsigned int n, unsigned int i)
{
	uint8_t address[4] = { 10, 244, 100 + n % 100, 1 + i };
	size_t start = nest(type);

	put(KSERV_A_ENDPOINT_ADDR4, address, sizeof(address));
	put16(KSERV_A_ENDPOINT_PORT, htons(8080));
	if (type == KSERV_A_SERVICE_ENDPOINT) {
		put8(KSERV_A_ENDPOINT_FLAGS, KSERV_ENDPOINT_FLAGS_CLUSTER_SET | KSERV_ENDPOINT_FLAGS_SERVING);
		put16(KSERV_A_ENDPOINT_WEIGHT, 0);
	}
	nest_end(start);
}

/* Those of transaction @come come and those of @go go; 0 for none. Return: how many changes that is. */
static unsigned long change(const char *name, unsigned int come, unsigned int go)
{
	unsigned int i;
	size_t start;
	int error;

	begin(family_id, KSERV_CMD_TRANSACTION, NLM_F_ACK);
	start = nest(KSERV_A_MESSAGE_SERVICE_SET);
	put(KSERV_A_SERVICE_NAME, name, strlen(name) + 1);
	put8(KSERV_A_SERVICE_FAMILY, AF_INET);
	put8(KSERV_A_SERVICE_PROTOCOL, IPPROTO_TCP);
	for (i = 0; i < EACH; i++) {
		if (come)
			put_endpoint(KSERV_A_SERVICE_ENDPOINT, come, i);
		if (go)
			put_endpoint(KSERV_A_SERVICE_ENDPOINT_DEL, go, i);
	}
	nest_end(start);
	error = request(NULL, NULL);
	if (error)
		errx(1, "change %u is refused: %s: %s", come, strerror(-error), words);
	return (!!come + !!go) * EACH;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Until the next period begins; one that was missed is not made up for. */
static void wait_for_turn(int64_t *due)
{
	int64_t now = now_ns();
	struct timespec until;

	*due = *due + PERIOD_NS > now ? *due + PERIOD_NS : now;
	until = (struct timespec){ .tv_sec = *due / 1000000000, .tv_nsec = *due % 1000000000 };
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

int main(int argc, char **argv)
{
	unsigned int n, transactions = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	int64_t start, due;
	unsigned long changes = 0;
	double seconds;

	if (!transactions)
		errx(2, "usage: changes NAME TRANSACTIONS");
	connect_family();
	start = due = now_ns();
	for (n = 1; n <= transactions; n++) {
		changes += change(argv[1], n, n - 1);
		wait_for_turn(&due);
	}
	changes += change(argv[1], 0, transactions);
	seconds = (now_ns() - start) / 1e9;
	printf("%lu endpoint changes in %.1f s, %.0f a second\n", changes, seconds, changes / seconds);
	return 0;
}
