// SPDX-License-Identifier: GPL-2.0
/*
 * The kinds kserv reads, their metadata, spec and status, of every Kubernetes release up to 1.36. Pod specs are in
 * schema_pod.c.
 */
#include "cluster/schema.h"

const struct kserv_schema kserv_schema_objects[] = {
	{ "ObjectMeta",
	  "name:string generateName:string namespace:string selfLink:string uid:string "
	  "resourceVersion:string generation:int64 creationTimestamp:time deletionTimestamp:time "
	  "deletionGracePeriodSeconds:int64 labels:{}string annotations:{}string "
	  "ownerReferences:[]OwnerReference finalizers:[]string managedFields:[]ManagedFieldsEntry "
	  "clusterName:string" },
	{ "OwnerReference",
	  "apiVersion:string kind:string name:string uid:string controller:bool "
	  "blockOwnerDeletion:bool" },
	{ "ManagedFieldsEntry",
	  "manager:string operation:string apiVersion:string time:time fieldsType:string fieldsV1:any "
	  "subresource:string" },
	{ "LabelSelector",
	  "matchLabels:{}string matchExpressions:[]LabelSelectorRequirement" },
	{ "LabelSelectorRequirement",
	  "key:string operator:string values:[]string" },
	{ "Condition",
	  "type:string status:string observedGeneration:int64 lastTransitionTime:time reason:string "
	  "message:string" },
	{ "Service",
	  "apiVersion:string kind:string metadata:ObjectMeta spec:ServiceSpec status:ServiceStatus" },
	{ "ServiceSpec",
	  "ports:[]ServicePort selector:{}string clusterIP:string clusterIPs:[]string type:string "
	  "externalIPs:[]string sessionAffinity:string loadBalancerIP:string "
	  "loadBalancerSourceRanges:[]string externalName:string externalTrafficPolicy:string "
	  "healthCheckNodePort:int32 publishNotReadyAddresses:bool "
	  "sessionAffinityConfig:SessionAffinityConfig ipFamilies:[]string ipFamilyPolicy:string "
	  "allocateLoadBalancerNodePorts:bool loadBalancerClass:string internalTrafficPolicy:string "
	  "trafficDistribution:string" },
	{ "ServicePort",
	  "name:string protocol:string appProtocol:string port:int32 targetPort:intstr nodePort:int32" },
	{ "SessionAffinityConfig",
	  "clientIP:ClientIPConfig" },
	{ "ClientIPConfig",
	  "timeoutSeconds:int32" },
	{ "ServiceStatus",
	  "loadBalancer:LoadBalancerStatus conditions:[]Condition" },
	{ "LoadBalancerStatus",
	  "ingress:[]LoadBalancerIngress" },
	{ "LoadBalancerIngress",
	  "ip:string hostname:string ipMode:string ports:[]PortStatus" },
	{ "PortStatus",
	  "port:int32 protocol:string error:string" },
	{ "ServiceCIDR",
	  "apiVersion:string kind:string metadata:ObjectMeta spec:ServiceCIDRSpec status:ServiceCIDRStatus" },
	{ "ServiceCIDRSpec",
	  "cidrs:[]string" },
	{ "ServiceCIDRStatus",
	  "conditions:[]Condition" },
	{ "Namespace",
	  "apiVersion:string kind:string metadata:ObjectMeta spec:NamespaceSpec "
	  "status:NamespaceStatus" },
	{ "NamespaceSpec",
	  "finalizers:[]string" },
	{ "NamespaceStatus",
	  "phase:string conditions:[]NamespaceCondition" },
	{ "NamespaceCondition",
	  "type:string status:string lastTransitionTime:time reason:string message:string" },
	{ "Node",
	  "apiVersion:string kind:string metadata:ObjectMeta spec:NodeSpec status:NodeStatus" },
	{ "NodeSpec",
	  "podCIDR:string podCIDRs:[]string providerID:string unschedulable:bool taints:[]Taint "
	  "configSource:NodeConfigSource externalID:string "
	  "podPreemptionPolicy:NodePodPreemptionPolicy" },
	{ "Taint",
	  "key:string value:string effect:string timeAdded:time" },
	{ "NodeConfigSource",
	  "configMap:ConfigMapNodeConfigSource" },
	{ "ConfigMapNodeConfigSource",
	  "namespace:string name:string uid:string resourceVersion:string kubeletConfigKey:string" },
	{ "NodePodPreemptionPolicy",
	  "disableResizePreemption:[]string" },
	{ "NodeStatus",
	  "capacity:{}quantity allocatable:{}quantity phase:string conditions:[]NodeCondition "
	  "addresses:[]NodeAddress daemonEndpoints:NodeDaemonEndpoints nodeInfo:NodeSystemInfo "
	  "images:[]ContainerImage volumesInUse:[]string volumesAttached:[]AttachedVolume "
	  "config:NodeConfigStatus runtimeHandlers:[]NodeRuntimeHandler features:NodeFeatures "
	  "declaredFeatures:[]string" },
	{ "NodeCondition",
	  "type:string status:string lastHeartbeatTime:time lastTransitionTime:time reason:string "
	  "message:string" },
	{ "NodeAddress",
	  "type:string address:string" },
	{ "NodeDaemonEndpoints",
	  "kubeletEndpoint:DaemonEndpoint" },
	{ "DaemonEndpoint",
	  "Port:int32" },
	{ "NodeSystemInfo",
	  "machineID:string systemUUID:string bootID:string kernelVersion:string osImage:string "
	  "containerRuntimeVersion:string kubeletVersion:string kubeProxyVersion:string "
	  "operatingSystem:string architecture:string swap:NodeSwapStatus" },
	{ "NodeSwapStatus",
	  "capacity:int64" },
	{ "ContainerImage",
	  "names:[]string sizeBytes:int64" },
	{ "AttachedVolume",
	  "name:string devicePath:string" },
	{ "NodeConfigStatus",
	  "assigned:NodeConfigSource active:NodeConfigSource lastKnownGood:NodeConfigSource "
	  "error:string" },
	{ "NodeRuntimeHandler",
	  "name:string features:NodeRuntimeHandlerFeatures" },
	{ "NodeRuntimeHandlerFeatures",
	  "recursiveReadOnlyMounts:bool userNamespaces:bool" },
	{ "NodeFeatures",
	  "supplementalGroupsPolicy:bool" },
	{ "Pod",
	  "apiVersion:string kind:string metadata:ObjectMeta spec:PodSpec status:PodStatus" },
	{ "PodStatus",
	  "observedGeneration:int64 phase:string conditions:[]PodCondition message:string "
	  "reason:string nominatedNodeName:string hostIP:string hostIPs:[]HostIP podIP:string "
	  "podIPs:[]PodIP startTime:time initContainerStatuses:[]ContainerStatus "
	  "containerStatuses:[]ContainerStatus qosClass:string "
	  "ephemeralContainerStatuses:[]ContainerStatus resize:string "
	  "resourceClaimStatuses:[]PodResourceClaimStatus "
	  "extendedResourceClaimStatus:PodExtendedResourceClaimStatus allocatedResources:{}quantity "
	  "resources:ResourceRequirements "
	  "nodeAllocatableResourceClaimStatuses:[]NodeAllocatableResourceClaimStatus "
	  "volumeHealth:[]PodVolumeHealth" },
	{ "PodCondition",
	  "type:string observedGeneration:int64 status:string lastProbeTime:time "
	  "lastTransitionTime:time reason:string message:string" },
	{ "HostIP",
	  "ip:string" },
	{ "PodIP",
	  "ip:string" },
	{ "ContainerStatus",
	  "name:string state:ContainerState lastState:ContainerState ready:bool restartCount:int32 "
	  "image:string imageID:string containerID:string started:bool allocatedResources:{}quantity "
	  "resources:ResourceRequirements volumeMounts:[]VolumeMountStatus user:ContainerUser "
	  "allocatedResourcesStatus:[]ResourceStatus stopSignal:string" },
	{ "ContainerState",
	  "waiting:ContainerStateWaiting running:ContainerStateRunning "
	  "terminated:ContainerStateTerminated" },
	{ "ContainerStateWaiting",
	  "reason:string message:string" },
	{ "ContainerStateRunning",
	  "startedAt:time" },
	{ "ContainerStateTerminated",
	  "exitCode:int32 signal:int32 reason:string message:string startedAt:time finishedAt:time "
	  "containerID:string" },
	{ "VolumeMountStatus",
	  "name:string mountPath:string readOnly:bool recursiveReadOnly:string "
	  "volumeStatus:VolumeStatus" },
	{ "VolumeStatus",
	  "image:ImageVolumeStatus" },
	{ "ImageVolumeStatus",
	  "imageRef:string" },
	{ "ContainerUser",
	  "linux:LinuxContainerUser" },
	{ "LinuxContainerUser",
	  "uid:int64 gid:int64 supplementalGroups:[]int64" },
	{ "ResourceStatus",
	  "name:string resources:[]ResourceHealth" },
	{ "ResourceHealth",
	  "resourceID:string health:string message:string" },
	{ "PodResourceClaimStatus",
	  "name:string resourceClaimName:string" },
	{ "PodExtendedResourceClaimStatus",
	  "requestMappings:[]ContainerExtendedResourceRequest resourceClaimName:string" },
	{ "ContainerExtendedResourceRequest",
	  "containerName:string resourceName:string requestName:string" },
	{ "NodeAllocatableResourceClaimStatus",
	  "resourceClaimName:string containers:[]string mapping:[]NodeAllocatableMappedResources "
	  "overhead:[]NodeAllocatableOverheadResources" },
	{ "NodeAllocatableMappedResources",
	  "name:string quantity:quantity" },
	{ "NodeAllocatableOverheadResources",
	  "name:string perPod:quantity perContainer:quantity" },
	{ "PodVolumeHealth",
	  "name:string healthConditions:[]VolumeHealthCondition lastTransitionTime:time" },
	{ "VolumeHealthCondition",
	  "status:string reason:string message:string" },
	{ "Endpoints",
	  "apiVersion:string kind:string metadata:ObjectMeta subsets:[]EndpointSubset" },
	{ "EndpointSubset",
	  "addresses:[]EndpointAddress notReadyAddresses:[]EndpointAddress ports:[]EndpointPort" },
	{ "EndpointAddress",
	  "ip:string hostname:string nodeName:string targetRef:ObjectReference" },
	{ "ObjectReference",
	  "kind:string namespace:string name:string uid:string apiVersion:string "
	  "resourceVersion:string fieldPath:string" },
	{ "EndpointPort",
	  "name:string port:int32 protocol:string appProtocol:string" },
	{ "EndpointSlice",
	  "apiVersion:string kind:string metadata:ObjectMeta addressType:string "
	  "endpoints:[]SliceEndpoint ports:[]SlicePort" },
	{ "SliceEndpoint",
	  "addresses:[]string conditions:EndpointConditions hostname:string targetRef:ObjectReference "
	  "deprecatedTopology:{}string nodeName:string zone:string hints:EndpointHints" },
	{ "EndpointConditions",
	  "ready:bool serving:bool terminating:bool" },
	{ "EndpointHints",
	  "forZones:[]ForZone forNodes:[]ForNode" },
	{ "ForZone",
	  "name:string" },
	{ "ForNode",
	  "name:string" },
	{ "SlicePort",
	  "name:string protocol:string port:int32 appProtocol:string" },
	{ "Deployment",
	  "apiVersion:string kind:string metadata:ObjectMeta spec:DeploymentSpec "
	  "status:DeploymentStatus" },
	{ "DeploymentSpec",
	  "replicas:int32 selector:LabelSelector template:PodTemplateSpec strategy:DeploymentStrategy "
	  "minReadySeconds:int32 revisionHistoryLimit:int32 paused:bool progressDeadlineSeconds:int32" },
	{ "PodTemplateSpec",
	  "metadata:ObjectMeta spec:PodSpec" },
	{ "DeploymentStrategy",
	  "type:string rollingUpdate:RollingUpdateDeployment" },
	{ "RollingUpdateDeployment",
	  "maxUnavailable:intstr maxSurge:intstr" },
	{ "DeploymentStatus",
	  "observedGeneration:int64 replicas:int32 updatedReplicas:int32 readyReplicas:int32 "
	  "availableReplicas:int32 unavailableReplicas:int32 terminatingReplicas:int32 "
	  "conditions:[]DeploymentCondition collisionCount:int32" },
	{ "DeploymentCondition",
	  "type:string status:string lastUpdateTime:time lastTransitionTime:time reason:string "
	  "message:string" },
	{ "ReplicaSet",
	  "apiVersion:string kind:string metadata:ObjectMeta spec:ReplicaSetSpec "
	  "status:ReplicaSetStatus" },
	{ "ReplicaSetSpec",
	  "replicas:int32 minReadySeconds:int32 selector:LabelSelector template:PodTemplateSpec" },
	{ "ReplicaSetStatus",
	  "replicas:int32 fullyLabeledReplicas:int32 readyReplicas:int32 availableReplicas:int32 "
	  "terminatingReplicas:int32 observedGeneration:int64 conditions:[]ReplicaSetCondition" },
	{ "ReplicaSetCondition",
	  "type:string status:string lastTransitionTime:time reason:string message:string" },
	{ "StatefulSet",
	  "apiVersion:string kind:string metadata:ObjectMeta spec:StatefulSetSpec "
	  "status:StatefulSetStatus" },
	{ "StatefulSetSpec",
	  "replicas:int32 selector:LabelSelector template:PodTemplateSpec "
	  "volumeClaimTemplates:[]PersistentVolumeClaim serviceName:string podManagementPolicy:string "
	  "updateStrategy:StatefulSetUpdateStrategy revisionHistoryLimit:int32 minReadySeconds:int32 "
	  "persistentVolumeClaimRetentionPolicy:StatefulSetPersistentVolumeClaimRetentionPolicy "
	  "ordinals:StatefulSetOrdinals" },
	{ "PersistentVolumeClaim",
	  "apiVersion:string kind:string metadata:ObjectMeta spec:PersistentVolumeClaimSpec "
	  "status:PersistentVolumeClaimStatus" },
	{ "PersistentVolumeClaimStatus",
	  "phase:string accessModes:[]string capacity:{}quantity "
	  "conditions:[]PersistentVolumeClaimCondition allocatedResources:{}quantity "
	  "allocatedResourceStatuses:{}string currentVolumeAttributesClassName:string "
	  "modifyVolumeStatus:ModifyVolumeStatus healthStatus:VolumeHealthStatus" },
	{ "PersistentVolumeClaimCondition",
	  "type:string status:string lastProbeTime:time lastTransitionTime:time reason:string "
	  "message:string" },
	{ "ModifyVolumeStatus",
	  "targetVolumeAttributesClassName:string status:string" },
	{ "VolumeHealthStatus",
	  "healthConditions:[]VolumeHealthCondition lastTransitionTime:time" },
	{ "StatefulSetUpdateStrategy",
	  "type:string rollingUpdate:RollingUpdateStatefulSetStrategy" },
	{ "RollingUpdateStatefulSetStrategy",
	  "partition:int32 maxUnavailable:intstr" },
	{ "StatefulSetPersistentVolumeClaimRetentionPolicy",
	  "whenDeleted:string whenScaled:string" },
	{ "StatefulSetOrdinals",
	  "start:int32" },
	{ "StatefulSetStatus",
	  "observedGeneration:int64 replicas:int32 readyReplicas:int32 currentReplicas:int32 "
	  "updatedReplicas:int32 currentRevision:string updateRevision:string collisionCount:int32 "
	  "conditions:[]StatefulSetCondition availableReplicas:int32" },
	{ "StatefulSetCondition",
	  "type:string status:string lastTransitionTime:time reason:string message:string" },
	{ "DaemonSet",
	  "apiVersion:string kind:string metadata:ObjectMeta spec:DaemonSetSpec "
	  "status:DaemonSetStatus" },
	{ "DaemonSetSpec",
	  "selector:LabelSelector template:PodTemplateSpec updateStrategy:DaemonSetUpdateStrategy "
	  "minReadySeconds:int32 revisionHistoryLimit:int32" },
	{ "DaemonSetUpdateStrategy",
	  "type:string rollingUpdate:RollingUpdateDaemonSet" },
	{ "RollingUpdateDaemonSet",
	  "maxUnavailable:intstr maxSurge:intstr" },
	{ "DaemonSetStatus",
	  "currentNumberScheduled:int32 numberMisscheduled:int32 desiredNumberScheduled:int32 "
	  "numberReady:int32 observedGeneration:int64 updatedNumberScheduled:int32 "
	  "numberAvailable:int32 numberUnavailable:int32 collisionCount:int32 "
	  "conditions:[]DaemonSetCondition" },
	{ "DaemonSetCondition",
	  "type:string status:string lastTransitionTime:time reason:string message:string" },
	{ }
};
