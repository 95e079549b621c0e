// SPDX-License-Identifier: GPL-2.0
/* The module: what begins and ends with it, and with each network namespace, in order. */
#include <linux/module.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>

#include "kserv.h"
#include "config.h"
#include "echo.h"
#include "genl.h"
#include "pick.h"
#include "route.h"
#include "service.h"

unsigned int kserv_net_id __read_mostly;

static int __net_init net_init(struct net *net)
{
	struct kserv_net *kn = kserv_pernet(net);
	struct kserv_config *config;
	int ret;

	kn->net = net;
	mutex_init(&kn->mutex);
	kserv_echo_net_init(kn);
	config = kserv_config_alloc();
	if (!config)
		return -ENOMEM;
	RCU_INIT_POINTER(kn->config, config);
	ret = kserv_stats_net_init(kn);
	if (ret)
		goto err_free_config;
	ret = kserv_service_net_init(kn);
	if (ret)
		goto err_exit_stats;
	ret = kserv_session_net_init(kn);
	if (ret)
		goto err_exit_services;
	ret = kserv_flow_net_init(kn);
	if (ret)
		goto err_exit_sessions;
	return 0;

err_exit_sessions:
	kserv_session_net_exit(kn);
err_exit_services:
	kserv_service_net_exit(kn);
err_exit_stats:
	kserv_stats_net_exit(kn);
err_free_config:
	kserv_config_free(config);
	return ret;
}

/* A grace period follows, so that no packet is under way when the tables go. */
static void __net_exit net_pre_exit(struct net *net)
{
	struct kserv_net *kn = kserv_pernet(net);

	mutex_lock(&kn->mutex);
	WRITE_ONCE(kn->exiting, true);
	if (kn->hooks_registered)
		kserv_hooks_unregister(kn);
	mutex_unlock(&kn->mutex);
}

static void __net_exit net_exit(struct net *net)
{
	struct kserv_net *kn = kserv_pernet(net);

	kserv_flow_net_exit(kn);
	kserv_session_net_exit(kn);
	kserv_service_net_exit(kn);
	kserv_route_net_exit(kn);
	kserv_stats_net_exit(kn);
	kvfree(kn->filter);
	kserv_config_free(rcu_dereference_protected(kn->config, true));
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.pre_exit = net_pre_exit,
	.exit = net_exit,
	.id = &kserv_net_id,
	.size = sizeof(struct kserv_net),
};

static int __init kserv_init(void)
{
	int ret;

	kserv_pick_module_init();
	ret = kserv_service_module_init();
	if (ret)
		return ret;
	ret = kserv_flow_module_init();
	if (ret)
		goto err_exit_services;
	ret = register_pernet_subsys(&net_ops);
	if (ret)
		goto err_exit_flows;
	ret = genl_register_family(&kserv_nl_family);
	if (ret)
		goto err_unregister_net;
	return 0;

err_unregister_net:
	unregister_pernet_subsys(&net_ops);
err_exit_flows:
	kserv_flow_module_exit();
err_exit_services:
	kserv_service_module_exit();
	return ret;
}

static void __exit kserv_exit(void)
{
	genl_unregister_family(&kserv_nl_family);
	unregister_pernet_subsys(&net_ops);
	/* The first waits until flows are freed, which may be the last to hold endpoints; the second for these. */
	rcu_barrier();
	rcu_barrier();
	kserv_flow_module_exit();
	kserv_service_module_exit();
}

module_init(kserv_init);
module_exit(kserv_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Kubernetes Services and pod networking in the kernel");
MODULE_VERSION(KSERV_VERSION);
MODULE_ALIAS_GENL_FAMILY(KSERV_FAMILY_NAME);
