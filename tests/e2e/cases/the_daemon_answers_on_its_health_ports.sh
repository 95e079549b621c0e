#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Load balancers ask healthCheckNodePort which nodes have endpoints, cluster tools ask /healthz, Prometheus reads
# /metrics: all of them get what they would get of kube-proxy.
#
#   client --- router --- node-a --- my-app-1
#                    \--- node-b --- my-app-2, my-app-3
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../examples.sh"
. "$(dirname "$0")/../daemon.sh"

# get NAMESPACE URL: status, a blank, and the body on one line.
get() { in_netns "$1" curl -sg --max-time 5 -w '\n%{http_code}' "$2" | awk '{ body = body last; last = $0 } END { print last, body }'; }
status_of() { in_netns "$1" curl -sg --max-time 5 -o "${3:-/dev/null}" -w '%{http_code}' "$2"; }
answers_with() { [ "$(status_of "$1" "$2")" = "$3" ]; }

# Format 0.0.4, strictly: every family once, with HELP and TYPE before its samples, no sample twice, numbers that are
# such, histograms that grow to their +Inf. promtool is not in the VM: tests/run gives it what is put into /out.
check_metrics() {
	awk '
		function bad(text) { print NR ": " text ": " $0; code = 1 }
		/^# HELP [a-zA-Z_:][a-zA-Z0-9_:]* ./ { if ($3 in helped) bad("family twice"); helped[$3] = 1; family = $3; next }
		/^# TYPE [a-zA-Z_:][a-zA-Z0-9_:]* (counter|gauge|histogram)$/ { if ($3 != family) bad("TYPE without HELP"); type = $4; next }
		!/^[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\["\\n])*",?)*\})? [-+]?([0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?|Inf|NaN)$/ { bad("no sample"); next }
		{
			sample = $0; sub(/ [^ ]*$/, "", sample)
			if (sample in seen) bad("sample twice")
			seen[sample] = 1
			name = sample; sub(/\{.*/, "", name)
			base = name
			if (type == "histogram") sub(/_(bucket|sum|count)$/, "", base)
			if (base != family) bad("sample outside of its family")
			if (type == "counter" && name !~ /_total$/) bad("a counter whose name does not end in _total")
			if ($NF < 0) bad("negative")
			if (name ~ /_bucket$/) { if ($NF < last) bad("bucket shrinks"); last = $NF; if (sample ~ /le="\+Inf"/) { inf = $NF; last = 0 } }
			if (type == "histogram" && name ~ /_count$/ && $NF != inf) bad("count is not the last bucket")
			n++
		}
		END { if (n < 50) { print "only " n " samples"; code = 1 } exit code }' "$1"
}

value() { awk -v name="$2" '$1 == name { print $2; found = 1 } END { exit !found }' "$1"; }

setup_nodes_of_examples
start_daemon node-a
start_daemon node-b
check "the examples are taken" ask node-a kservctl apply -f "$examples"
start_pods
cat >"$work/local.yaml" <<-END
	apiVersion: v1
	kind: Service
	metadata: {name: outer}
	spec:
	  type: LoadBalancer
	  externalTrafficPolicy: Local
	  healthCheckNodePort: 32100
	  selector: {app: my-app}
	  ports: [{port: 80, targetPort: 80}]
END
check "a Service with a health check is taken" ask node-a kservctl apply -f "$work/local.yaml"
check "node-a has one endpoint" busywait 10 answers_with client "http://${ip4[node-a]}:32100/healthz" 200
check "node-b has two" busywait 10 answers_with client "http://[${ip6[node-b]}]:32100/any/path" 200
get client "http://${ip4[node-b]}:32100/"
check "it says so" test "$(get client "http://${ip4[node-b]}:32100/" | cut -d ' ' -f 2- | jq -c .)" = \
	'{"service":{"namespace":"default","name":"outer"},"localEndpoints":2,"serviceProxyHealthy":true}'
in_netns client curl -si "http://${ip4[node-b]}:32100/" >"$work/head"
check "the weight is in the headers" grep -qi '^x-load-balancing-endpoint-weight: 2' "$work/head"
check "of JSON that nobody is to guess about" grep -qi '^x-content-type-options: nosniff' "$work/head"
check "without its endpoint" ask node-a kservctl delete pod my-app-1
check "node-a fails the check" busywait 10 answers_with client "http://${ip4[node-a]}:32100/healthz" 503
check "with policy Cluster" bash -c "sed 's/Local/Cluster/; /healthCheck/d' $work/local.yaml | KSERV_SOCKET=$work/node-a.sock kservctl apply -f -"
refuse "nobody listens there" 7 '' in_netns client curl -s --max-time 5 "http://${ip4[node-a]}:32100/healthz"

check "the node is well" answers_with client "http://${ip4[node-a]}:10256/healthz" 200
check "and alive" answers_with client "http://[${ip6[node-a]}]:10256/livez" 200
check "other paths are not there" answers_with client "http://${ip4[node-a]}:10256/metrics" 404
check "the mode has a name" test "$(get node-a http://127.0.0.1:10249/proxyMode)" = '200 kserv'
check "metrics are for this node alone" answers_with client "http://${ip4[node-a]}:10249/metrics" 000
connect my-app-2 tcp "$(service_field my-service .spec.clusterIP):80" count 5 expect my-app-2,my-app-3
check "they are read" answers_with node-b http://127.0.0.1:10249/metrics 200
status_of node-b http://127.0.0.1:10249/metrics "$work/metrics"
check "and have the form of Prometheus" check_metrics "$work/metrics"
[ ! -d /out ] || cp "$work/metrics" /out/node-b.metrics
check "connections are counted" test "$(value "$work/metrics" 'kserv_service_connections_total{service="default/my-service",protocol="tcp",family="IPv4"}')" = 5
latency=$(value "$work/metrics" 'kserv_service_connect_latency_seconds{service="default/my-service",protocol="tcp",family="IPv4"}')
check "and how long they took to be accepted" awk -v seconds="$latency" 'BEGIN { exit !(seconds > 0 && seconds < 60) }'
check "syncs are timed" test "$(value "$work/metrics" kubeproxy_sync_proxy_rules_duration_seconds_count)" -gt 0
check "nothing is pending" test "$(value "$work/metrics" kubeproxy_sync_proxy_rules_endpoint_changes_pending)" = 0

# Changes that do not reach the kernel make the node unwell after twice the sync period.
mkdir -p /run/modprobe.d
echo 'install kserv false' >/run/modprobe.d/away.conf
rmmod kserv || die "the module cannot be unloaded"
check "a change is stored all the same" \
	bash -c "KSERV_SOCKET=$work/node-a.sock kservctl delete svc outer; [ \$? = 3 ]"
check "the node fails its health check" busywait 20 answers_with client "http://${ip4[node-a]}:10256/healthz" 503
check "status says why" bash -c "curl -s --unix-socket $work/node-a.sock http://k/kserv/v1/status | jq -e '.degraded[0] | test(\"not loaded\")'"
rm /run/modprobe.d/away.conf
check "with the module it is well again" busywait 60 answers_with client "http://${ip4[node-a]}:10256/healthz" 200
