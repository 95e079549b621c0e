/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pod network: the pod CIDRs of other nodes behind their internal addresses, as routes of the kernel. podnet/plan.c
 * says what should be there and is pure; podnet/apply.c sends the kernel what differs.
 *
 * Ours are the routes of the main table with our protocol number, and of the VXLAN device all permanent neighbours and
 * the FDB entries whose MAC address begins with 02. Nothing else is touched.
 */
#ifndef KSERV_PODNET_H
#define KSERV_PODNET_H

#include <net/if.h>
#include "plan/plan.h"

#define KSERV_PODNET_DEVICE	"kserv.vxlan"
/* Marks our routes, as /etc/iproute2/rt_protos has numbers for other daemons. */
#define KSERV_PODNET_PROTOCOL	117
#define KSERV_PODNET_VNI	117
#define KSERV_PODNET_PORT	8472
#define KSERV_PODNET_MAC	6

/* Outer Ethernet is not counted by the MTU; inner Ethernet 14, VXLAN 8, UDP 8, IP 20 or 40. */
enum { KSERV_PODNET_OVERHEAD4 = 50, KSERV_PODNET_OVERHEAD6 = 70, KSERV_PODNET_MTU_MIN = 1280 };

enum kserv_podnet_mode {
	KSERV_PODNET_NONE,		/* somebody else routes: a cloud, a routing daemon */
	KSERV_PODNET_AUTO,		/* direct where the peer is on-link, VXLAN where it is not */
	KSERV_PODNET_DIRECT,
	KSERV_PODNET_VXLAN,
};

/**
 * struct kserv_podnet_config - how nodes reach each other's pods; the same on all of them
 * @family: of the addresses that VXLAN packets go between; AF_UNSPEC: that of this node's first internal address
 * @mtu: of the network between the nodes; 0: that of the device with this node's address
 * @masquerade: pods have their node's address outside of the cluster
 * @inside: besides the cluster CIDRs, where they keep their own
 */
struct kserv_podnet_config {
	enum kserv_podnet_mode mode;
	char device[IFNAMSIZ];
	uint32_t vni;
	uint16_t port;
	uint8_t family;
	uint32_t mtu;
	bool masquerade;
	struct kserv_prefixes inside;
};

/* A route of others, as far as it says who is on-link. */
struct kserv_podnet_way {
	struct kserv_prefix prefix;
	uint32_t metric;
	int ifindex;
	bool has_gateway;
};

/**
 * struct kserv_podnet_view - what plan needs to know of the kernel
 * @ways: main table without our own routes
 * @mtu: of the device with this node's address of each family; 0 if there is none
 */
struct kserv_podnet_view {
	struct kserv_podnet_way *ways;
	size_t n_ways;
	uint32_t mtu[2];
};

/**
 * struct kserv_podnet_route - a pod CIDR of another node
 * @ifindex: where the gateway is on-link; 0: the VXLAN device, and the gateway is the CIDR's network address
 */
struct kserv_podnet_route {
	struct kserv_prefix prefix;
	struct kserv_addr gateway;
	int ifindex;
};

/* On the VXLAN device: the MAC address of a gateway (neighbour), and the node that has a MAC address (FDB). */
struct kserv_podnet_neighbour {
	struct kserv_addr addr;
	uint8_t mac[KSERV_PODNET_MAC];
};

/**
 * struct kserv_podnet_plan - what the kernel should hold, each list sorted
 * @has_device: false: no VXLAN device
 * @local: address that VXLAN packets leave from
 * @addresses: of the device, the network address of each of this node's pod CIDRs, so that what the node itself sends
 *	to pods is answered the way it came
 * @pod_mtu: for the devices of pods; 0 if it is not known
 * @pod_cidrs: of this node, in the order in which the Node has them
 */
struct kserv_podnet_plan {
	struct kserv_podnet_route *routes;
	size_t n_routes;
	struct kserv_podnet_neighbour *neighbours;
	size_t n_neighbours;
	struct kserv_podnet_neighbour *fdb;
	size_t n_fdb;
	bool has_device;
	uint8_t mac[KSERV_PODNET_MAC];
	struct kserv_addr local;
	uint32_t device_mtu, pod_mtu;
	struct kserv_prefixes addresses;
	struct kserv_prefixes pod_cidrs;
};

/**
 * kserv_podnet_plan() - what the kernel should hold
 * @here: the node that is planned for; its Node must be known
 * @ret: to be cleared with kserv_podnet_plan_clear()
 * @warnings: about nodes whose pods cannot be reached; may be NULL
 */
void kserv_podnet_plan(const struct kserv_podnet_config *config, const struct kserv_here *here,
		       struct kserv_node *const *nodes, size_t n_nodes, const struct kserv_podnet_view *view,
		       struct kserv_podnet_plan *ret, struct kserv_warnings *warnings);
void kserv_podnet_plan_clear(struct kserv_podnet_plan *plan);

/* The MAC address of a node's VXLAN device: made of its name, so that nobody has to be told. */
void kserv_podnet_mac(const char *node_name, uint8_t ret[KSERV_PODNET_MAC]);

/* A neighbour is known by its address, an FDB entry by its MAC address. */
int kserv_podnet_neighbour_compare(const void *a, const void *b);
int kserv_podnet_fdb_compare(const void *a, const void *b);

/* Whether a packet to @addr goes to it without a router between. @ret_ifindex: by which device, if so. */
bool kserv_podnet_is_on_link(const struct kserv_podnet_view *view, const struct kserv_addr *addr, int *ret_ifindex);

#endif
