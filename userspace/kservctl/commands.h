/* SPDX-License-Identifier: GPL-2.0 */
/* The commands; each is a row of the table in main.c. */
#ifndef KSERVCTL_COMMANDS_H
#define KSERVCTL_COMMANDS_H

#include "kservctl/kservctl.h"

#define COMMAND_RUN(name)							\
	extern struct poptOption name##_options[];				\
	extern const char name##_more[];					\
	enum exit_code cmd_##name(int argc, const char **argv)

#define COMMAND_BUILD(name)							\
	extern struct poptOption name##_options[];				\
	extern const char name##_more[];					\
	enum exit_code build_##name(int argc, const char **argv, struct kserv_transaction *transaction)

/* the desired plane: objects of the embedded cluster */
COMMAND_RUN(apply);
COMMAND_RUN(delete);
COMMAND_RUN(diff);
COMMAND_RUN(sync);
COMMAND_RUN(get);
COMMAND_RUN(describe);
COMMAND_RUN(env);

/* the actual plane: what the kernel holds */
COMMAND_RUN(service_list);
COMMAND_BUILD(service_set);
COMMAND_BUILD(service_del);
COMMAND_RUN(frontend_list);
COMMAND_BUILD(frontend_set);
COMMAND_BUILD(frontend_del);
COMMAND_RUN(endpoint_list);
COMMAND_BUILD(endpoint_set);
COMMAND_BUILD(endpoint_del);
COMMAND_RUN(route_list);
COMMAND_BUILD(route_set);
COMMAND_BUILD(route_del);
COMMAND_RUN(config_show);
COMMAND_BUILD(config_set);
COMMAND_RUN(flush);
COMMAND_RUN(flows_list);
COMMAND_RUN(flows_del);
COMMAND_RUN(sessions);
COMMAND_RUN(stats);
COMMAND_RUN(monitor);
COMMAND_RUN(save);
COMMAND_RUN(restore);
COMMAND_RUN(upgrade);
COMMAND_RUN(explain);
COMMAND_RUN(status);
COMMAND_RUN(doctor);
COMMAND_RUN(takeover);
COMMAND_RUN(completion);
COMMAND_RUN(dns_query);
COMMAND_RUN(lb);

/* the pod network */
COMMAND_RUN(routes);
COMMAND_RUN(cni_write);
COMMAND_RUN(cni_check);
COMMAND_RUN(cni_remove);

#endif
