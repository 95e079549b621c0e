// SPDX-License-Identifier: GPL-2.0
/*
 * dns_hostile [N]: N packets (a million), right ones changed at random, at what answers them. Fails if it crashes (built
 * with the sanitizers), if an answer is wrong, or if a right query is answered otherwise than before.
 */
#include "../fuzz/dns_fuzz.c"

#define PACKET_MAX	600

static uint64_t state = 0x9e3779b97f4a7c15;

static uint32_t random_below(uint32_t upper)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return ((state >> 32) * upper) >> 32;
}

static const char *const names[] = {
	"web.shop.svc.cluster.local", "_http._tcp.web.shop.svc.cluster.local", "mysql.default.svc.cluster.local",
	"mysql-0.mysql.default.svc.cluster.local", "outside.shop.svc.cluster.local", "twice.shop.svc.cluster.local",
	"circle-a.shop.svc.cluster.local", "1.1.96.10.in-addr.arpa", "10-1-2-3.default.pod.cluster.local", "cluster.local",
	"1.0.0.0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa", "dns-version.cluster.local", ".",
	"www.example.com",
};

static const uint16_t types[] = { 1, 28, 33, 12, 16, 5, 6, 2, 255, 252, 41, 65 };

static size_t put_name(uint8_t *at, const char *name)
{
	size_t len = kserv_dns_name_parse(strcmp(name, ".") ? name : "", at);

	return len;
}

/* A right query, or a right answer to it, behind the byte that says as what it is taken. */
static size_t make_packet(uint8_t *packet)
{
	uint8_t *message = packet + 1, *at = message + 12;
	unsigned int i, records = 0;

	memset(packet, 0, PACKET_MAX);
	packet[0] = random_below(16);
	message[0] = random_below(256);
	message[1] = random_below(256);
	message[2] = (packet[0] & 3) < 2 ? 1 : 0x81;
	message[5] = 1;
	at += put_name(at, names[random_below(sizeof(names) / sizeof(*names))]);
	dns_put16(at, types[random_below(sizeof(types) / sizeof(*types))]);
	at[3] = 1;
	at += 4;
	if ((packet[0] & 3) >= 2)
		records = random_below(4);
	for (i = 0; i < records; i++) {
		at += put_name(at, "www.example.com");
		at[1] = random_below(2) ? 1 : 5;
		at[3] = 1;
		at[7] = random_below(256);
		if (at[1] == 1)
			at[9] = 4, at += 14;
		else
			at[9] = 2, at[10] = 0xc0, at[11] = random_below(64), at += 12;
	}
	message[7] = records;
	if (random_below(2)) {
		message[11] = 1;
		at[2] = 41;
		at[3] = random_below(256);
		at[7] = random_below(4) ? 0 : 0x80;
		at += 11;
	}
	return at - packet;
}

static size_t damage(uint8_t *packet, size_t len)
{
	unsigned int n = random_below(6), i;
	size_t at, by;

	for (i = 0; i < n; i++) {
		at = 1 + random_below(len - 1);
		switch (random_below(6)) {
		case 0:
			packet[at] = random_below(256);
			break;
		case 1:
			packet[at] ^= 1 << random_below(8);
			break;
		case 2:
			packet[at] = random_below(2) ? 0xc0 : 0xff;
			break;
		case 3:
			len = at + 1;
			break;
		case 4:
			by = random_below(len - at);
			memmove(packet + at, packet + at + by, len - at - by);
			len -= by;
			break;
		case 5:
			by = random_below(PACKET_MAX - len);
			memset(packet + len, random_below(256), by);
			len += by;
			break;
		}
	}
	return len;
}

/* A query whose answer never changes. */
static void check_right_one(void)
{
	static const uint8_t query[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\3web\4shop\3svc\7cluster\5local\0\0\1\0\1";
	static uint8_t first[KSERV_DNS_UDP_MAX], answer[KSERV_DNS_UDP_MAX];
	static size_t first_len;
	struct kserv_dns_reply reply;

	kserv_zone_set_recursive(zone, false);
	kserv_dns_answer(zone, query, sizeof(query) - 1, false, answer, &reply);
	if (!first_len) {
		first_len = reply.len;
		memcpy(first, answer, first_len);
	}
	if (first_len != reply.len || memcmp(first, answer, first_len) || answer[7] != 1)
		wrong("a right query is answered wrong", query, sizeof(query) - 1, answer, reply.len);
}

int main(int argc, const char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000, i;
	uint8_t packet[PACKET_MAX], *exact;
	size_t len;

	for (i = 0; i < n; i++) {
		len = damage(packet, make_packet(packet));
		/* Of its own size, so that to read beyond its end is noticed. */
		exact = malloc(len);
		if (!exact)
			return 1;
		memcpy(exact, packet, len);
		LLVMFuzzerTestOneInput(exact, len);
		free(exact);
		if (i % 1000 == 0)
			check_right_one();
	}
	check_right_one();
	kserv_zone_free(zone);
	printf("%lu packets, every answer right\n", n);
	return 0;
}
