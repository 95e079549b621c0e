#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A manifest that Kubernetes would refuse is refused, with the place of what is wrong, and with it everything that was
# applied at the same time: store, kernel and traffic stay as they were.
#
#   node1, and a store with the objects of examples/
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../examples.sh"

state() { cluster_on node-a kservctl save | grep -v '^# '; cluster_on node-a kservctl get all -o yaml; }
unchanged() { state | diff -u "$work/before" -; }

# bad WORDS: the manifest on stdin, behind a good one.
bad() {
	cat "$examples/clusterip.yaml" >"$work/bad.yaml"
	sed -i 's/my-service/would-be-new/' "$work/bad.yaml"
	echo --- >>"$work/bad.yaml"
	cat >>"$work/bad.yaml"
	refuse "a manifest" 1 "$1" cluster_on node-a kservctl apply -f "$work/bad.yaml"
}

service_with() {
	cat <<-END
		apiVersion: v1
		kind: Service
		metadata:
		  name: bad
		spec:
		  selector:
		    app: my-app
		$1
	END
}

setup_nodes_of_examples
check "the examples are taken" cluster_on node-a kservctl apply -f "$examples"
state >"$work/before"

service_with '  ports: [{port: http}]' | bad 'bad.yaml:[0-9]+:[0-9]+: spec.ports\[0\].port: expected integer'
service_with '  ports: [{port: 70000}]' | bad 'bad.yaml:[0-9]+:[0-9]+: spec.ports\[0\].port: .*65535'
service_with '  ports: [{port: 80}, {port: 81}]' | bad 'spec.ports\[[01]\].name'
service_with '  ports: [{port: 80, name: a}, {port: 80, name: b}]' | bad 'spec.ports\[1\].port: .*twice'
service_with '  ports: [{port: 80, protocol: ICMP}]' | bad 'spec.ports\[0\].protocol'
service_with '  ports: [{port: 80, nodePort: 31000}]' | bad 'nodePort'
service_with '  type: NodePort
  ports: [{port: 80, nodePort: 31000}]' | bad '31000.*(allocated|in use|taken)'
service_with '  type: NodePort
  ports: [{port: 80, nodePort: 20000}]' | bad '30000-32767'
service_with '  clusterIP: 192.168.0.1
  ports: [{port: 80}]' | bad 'clusterIP'
service_with '  colour: blue
  ports: [{port: 80}]' | bad 'bad.yaml:[0-9]+:[0-9]+: .*colour'
service_with '  ports: [{port: 80]' | bad 'bad.yaml:[0-9]+:[0-9]+:'
printf 'a: [1, 2\nb: {\n' | bad 'bad.yaml:[0-9]+:[0-9]+:'
printf 'apiVersion: v1\nkind: Toaster\nmetadata: {name: t}\n' | bad 'Toaster'
printf 'kind: Service\nmetadata: {name: t}\n' | bad 'apiVersion'
printf 'apiVersion: v1\nkind: Service\nmetadata: {name: Not_A_Name}\nspec: {ports: [{port: 80}]}\n' | bad 'metadata.name'
refuse "a file that is not there" 1 'none.yaml' cluster_on node-a kservctl apply -f "$work/none.yaml"
check "store and kernel are as they were" unchanged
