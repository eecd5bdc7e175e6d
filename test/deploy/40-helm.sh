#!/usr/bin/env bash
# The Helm chart: rendered, its values against its schema, its manifests against Kubernetes' types,
# and its Deployment run by podman (test/deploy/helm).
#
# usage: 40-helm.sh [manifests|values|types|renderer|pod]...
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"
. test/lib/npm.sh

here=test/deploy/helm
[ $# -gt 0 ] || set -- renderer values manifests types pod

need_packages "$here" ajv kubernetes-types typescript
# Debian's Go packages lie in a workspace of their own.
mkdir -p build/helm
GO111MODULE=off GOPATH=/usr/share/gocode go build -o build/helm/render "$here/render.go"
make -s -C gateway all

status=0
files=()
for name in "$@"; do
	[ "$name" = pod ] || files+=("$here/$name.test.mjs")
done
if [ ${#files[@]} -gt 0 ]; then
	node --test --test-reporter=tap "${files[@]}" || status=1
fi
for name in "$@"; do
	[ "$name" != pod ] || "$here/pod.sh" || status=1
done
exit "$status"
