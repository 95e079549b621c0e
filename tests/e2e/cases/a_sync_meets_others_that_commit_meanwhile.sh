#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kservd and an operator may change the tables at the same time. A sync that finds that somebody committed after it had
# read the tables reads them again; what it leaves behind is what was wanted, and a second sync finds nothing to do.
#
#   node (no cluster needed)
. "$(dirname "$0")/../lib.sh"

export KSERV_STORE=$work/store.db KSERV_CONFIG=$work/kserv.yaml

echo "hostnameOverride: here" >"$KSERV_CONFIG"

manifest() {
	for i in {1..50}; do
		cat <<-END
			---
			apiVersion: v1
			kind: Service
			metadata: { name: web$i }
			spec: { selector: { app: web }, ports: [{ port: 80 }] }
		END
	done
}

generation() { kservctl status -o json | jq .generation; }

# Takes endpoints away, adds services that are not wanted, until $work/stop is there.
disturb() {
	local i=0

	until [ -e "$work/stop" ]; do
		kservctl service set "default/stranger$((i++ % 5))" tcp "10.9.0.$((i % 5 + 1)):80" 2>/dev/null
	done
}

manifest >"$work/services.yaml"
check "the services are applied" kservctl apply -f "$work/services.yaml"
first=$(generation)
check "a sync of what is in force finds nothing to do" kservctl sync
check "it made no transaction" test "$(generation)" = "$first"

disturb &
disturber=$!
processes+=("$disturber")
for _ in {1..10}; do
	kservctl sync >>"$work/syncs" 2>&1 || fail "a sync beside others failed: $(tail -n 1 "$work/syncs")"
done
touch "$work/stop"
wait "$disturber"
check "others did commit meanwhile" test "$(generation)" -gt $((first + 10))
check "a last sync succeeds" kservctl sync
check "exactly the wanted services are there" test "$(kservctl service list --no-headers | grep -c '^default/web')" = 50
check "and no others" test "$(kservctl service list --no-headers | wc -l)" = 50
