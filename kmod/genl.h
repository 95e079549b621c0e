/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_GENL_H
#define _KSERV_GENL_H

#include <net/genetlink.h>
#include "genl_gen.h"

struct kserv_flow_filter;
struct kserv_net;

extern struct genl_family kserv_nl_family;

/**
 * kserv_nl_check_attrs() - refuse what a command does not take
 * @attrs: of the message
 * @taken: the one attribute type that it takes, or 0
 * Return: 0 or -EINVAL with a sentence.
 */
int kserv_nl_check_attrs(struct nlattr **attrs, int taken, struct netlink_ext_ack *extack);

/**
 * kserv_nl_check_generation() - refuse if the message expects other tables than those in force
 * Context: net's mutex. Return: 0 or -ESTALE with a sentence.
 */
int kserv_nl_check_generation(const struct kserv_net *kn, struct genl_info *info);

/**
 * kserv_nl_parse_filter() - read the flow nest of a request; NULL for one that matches all
 * Return: 0 or -EINVAL with a sentence. The service's name stays in the message.
 */
int kserv_nl_parse_filter(const struct nlattr *attr, struct kserv_flow_filter *filter, struct netlink_ext_ack *extack);

#endif /* _KSERV_GENL_H */
