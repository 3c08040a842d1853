#!/usr/bin/env bash
# Guess:     to delete a signature in an OCI layout with oras deletes the signature, and at most what is in it alone; what it
#            signs stays, as in a registry.
# Behaviour: what it signs goes too, layers and all, if it has no tag and nothing else names it. For the layout's clean-up of
#            oras-go, which is on by default (AutoGC), a manifest's `subject` is one of its parts, and a part that lost its last
#            owner is garbage. A tag protects it; that index.json lists its digest does not. With oras 1.3.6.
# Matters:   artifacts that are kept by digest, as pinned deployments have them, have often no tag. To take a wrong or an old
#            signature off one takes the artifact away, the command ends well and names the signature only. Tag what is to
#            stay, or set AutoGC to false.
# Seen:      untagged: 0, signature gone, artifact gone, layer gone
#            tagged: 0, signature gone, artifact there, layer there
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

export GOBIN="$work/bin" DOCKER_CONFIG="$work"
go install oras.land/oras/cmd/oras@v1.3.6

state() { if [ -e "$1/blobs/sha256/${2#sha256:}" ]; then echo there; else echo gone; fi; }
try() { # STATE LAYOUT[:TAG]
  local layout="${2%%:*}" artifact signature layer status=0
  artifact="$(bin/oras push --oci-layout "$2" file.txt:text/plain --format go-template='{{.digest}}')"
  signature="$(bin/oras attach --oci-layout "$layout@$artifact" --artifact-type application/vnd.acme.signature \
    --annotation by=acme --format go-template='{{.digest}}')"
  layer="$(sha256sum file.txt | cut -d' ' -f1)"
  [ "$(state "$layout" "$signature") $(state "$layout" "$artifact") $(state "$layout" "$layer")" = "there there there" ]
  bin/oras manifest delete --force --oci-layout "$layout@$signature" > /dev/null || status=$?
  echo "$1: $status, signature $(state "$layout" "$signature"), artifact $(state "$layout" "$artifact")," \
    "layer $(state "$layout" "$layer")"
}
echo text > file.txt
{
  try untagged one
  try tagged two:1.0.0
} | tee out
diff out - <<'E'
untagged: 0, signature gone, artifact gone, layer gone
tagged: 0, signature gone, artifact there, layer there
E
echo "as described"
