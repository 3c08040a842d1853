#!/usr/bin/env bash
# Guess:     of a folder that was pushed with `oras push`, `regctl artifact get --output` writes the packed file, as unpacking
#            is asked for by an annotation that is oras's own; or else the same folder that `oras pull` gives.
# Behaviour: it unpacks it, into a folder of the layer's title, though the names in the tar begin with that title already: all
#            is one level deeper. And symlinks are left out, without a word. With oras 1.3.6 and regctl 0.11.7.
# Matters:   changing the tool that fetches changes the paths: `deploy/app.yaml` is now `deploy/deploy/app.yaml`. A job that
#            copies `deploy/*` on takes one folder for the files, and what was a link is missing only when it is opened.
# Seen:      oras: deploy/app.yaml deploy/current.yaml
#            regctl: deploy/deploy/app.yaml
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

export GOBIN="$work/bin" DOCKER_CONFIG="$work" REGCTL_CONFIG="$work/regctl.json"
go install github.com/regclient/regclient/cmd/regctl@v0.11.7
go install oras.land/oras/cmd/oras@v1.3.6

mkdir deploy
echo "kind: ConfigMap" > deploy/app.yaml
ln -s app.yaml deploy/current.yaml
bin/oras push --oci-layout layout:1.0.0 deploy > /dev/null
bin/oras pull --oci-layout layout:1.0.0 -o by-oras > /dev/null
mkdir by-regctl
bin/regctl artifact get --output by-regctl ocidir://layout:1.0.0
files() { (cd "$1" && find . ! -type d -printf '%P\n' | LC_ALL=C sort | paste -sd' '); }
{
  echo "oras: $(files by-oras)"
  echo "regctl: $(files by-regctl)"
} | tee out
diff out - <<'E'
oras: deploy/app.yaml deploy/current.yaml
regctl: deploy/deploy/app.yaml
E
echo "as described"
