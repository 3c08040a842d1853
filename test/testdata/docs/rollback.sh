# shellcheck shell=bash
# What the reader of docs/rollback.md has: three commits, each built and promoted in turn. The third is bad.
release() { # MESSAGE REPLICAS
  echo "{apiVersion: v1, kind: ConfigMap, metadata: {name: replicas}, data: {n: \"$2\"}}" > platform/replicas.yaml
  git add platform
  git commit --quiet --message "$1"
  oci-promote build --repository ghcr.io/acme/fleet --path platform --revision "main@sha1:$(git rev-parse HEAD)"
  oci-promote tag --repository ghcr.io/acme/fleet --artifact-sha "$(git rev-parse HEAD)"
}
release "Two replicas" 2
release "Three replicas" 3
release "No replicas" 0
# live.json is what kubectl says of a live cluster that is pinned to the second.
good=$(oci-promote tag --repository ghcr.io/acme/fleet --artifact-sha "$(git rev-parse HEAD^)" --json | grep -o '"digest":"[^"]*"' | cut -d '"' -f 4)
sed -i "s/@GOOD@/$good/" live.json
unset good
