// SPDX-License-Identifier: GPL-2.0
/*
 * The configuration file. All fields of kube-proxy's KubeProxyConfiguration are known, so that its file can be used
 * as it is; docs/config.md says which of them mean something here.
 */
#include "cluster/schema.h"

const struct kserv_schema kserv_schema_config[] = {
	{ "KservConfiguration",
	  "@KubeProxyConfiguration serviceCIDR:string serviceNodePortRange:string nodeIPs:[]string "
	  "masqueradeAll:bool loadBalancer:LoadBalancerConfiguration kernel:KernelConfiguration "
	  "store:string controlSocket:string dns:DNSConfiguration podNetwork:PodNetworkConfiguration "
	  "bgp:BGPConfiguration nodeCIDRMaskSizeIPv4:int32 nodeCIDRMaskSizeIPv6:int32" },
	{ "PodNetworkConfiguration",
	  "mode:string mtu:int32 vxlan:PodNetworkVXLAN cni:PodNetworkCNI masquerade:bool nonMasqueradeCIDRs:[]string" },
	{ "PodNetworkVXLAN",
	  "device:string id:int32 port:int32 family:string" },
	{ "PodNetworkCNI",
	  "type:string path:string dataDir:string bridge:string" },
	{ "BGPConfiguration",
	  "asn:int64 routerID:string announce:[]string peers:[]BGPPeer path:string socket:string" },
	{ "BGPPeer",
	  "address:string asn:int64 port:int32 multihop:int32 template:string" },
	{ "DNSConfiguration",
	  "enabled:bool domain:string clusterIPs:[]string port:int32 ttl:int32 pods:string upstreams:[]string "
	  "resolvConf:string stubDomains:[]DNSStubDomain clients:[]string" },
	{ "DNSStubDomain",
	  "domain:string servers:[]string" },
	{ "LoadBalancerConfiguration",
	  "pools:[]LoadBalancerPool announce:bool assign:bool leaseDuration:string" },
	{ "LoadBalancerPool",
	  "name:string addresses:[]string autoAssign:bool" },
	{ "KernelConfiguration",
	  "conntrack:string fastPath:bool flowMax:int64 sessionMax:int64 masqueradePortRange:string "
	  "tcpSynTimeout:string tcpEstablishedTimeout:string tcpCloseTimeout:string udpTimeout:string "
	  "udpStreamTimeout:string sctpTimeout:string" },
	{ "KubeProxyConfiguration",
	  "apiVersion:string kind:string featureGates:{}bool logging:any clientConnection:any "
	  "hostnameOverride:string bindAddress:string healthzBindAddress:string metricsBindAddress:string "
	  "bindAddressHardFail:bool enableProfiling:bool showHiddenMetricsForVersion:string mode:string "
	  "iptables:ProxyIptables ipvs:any nftables:ProxyNftables winkernel:any detectLocalMode:string "
	  "detectLocal:ProxyDetectLocal clusterCIDR:string nodePortAddresses:[]string oomScoreAdj:int32 "
	  "conntrack:ProxyConntrack configSyncPeriod:string portRange:string windowsRunAsService:bool "
	  "linux:any windows:any syncPeriod:string minSyncPeriod:string" },
	{ "ProxyIptables",
	  "masqueradeBit:int32 masqueradeAll:bool localhostNodePorts:bool syncPeriod:string "
	  "minSyncPeriod:string" },
	{ "ProxyNftables",
	  "masqueradeBit:int32 masqueradeAll:bool syncPeriod:string minSyncPeriod:string" },
	{ "ProxyDetectLocal",
	  "bridgeInterface:string interfaceNamePrefix:string clusterCIDRs:[]string" },
	{ "ProxyConntrack",
	  "maxPerCore:int32 min:int32 tcpEstablishedTimeout:string tcpCloseWaitTimeout:string "
	  "tcpBeLiberal:bool udpTimeout:string udpStreamTimeout:string" },
	{ }
};
