#!/usr/bin/env bash
# Guess:     regctl, when it gives an image of an OCI layout one more tag there, removes nothing; when it moves a tag, at most
#            what that tag alone held before.
# Behaviour: it sweeps the whole layout: each blob that no entry of index.json leads to is gone, whoever wrote it and however
#            new it is, though nothing but a tag was added. oras, for the same work, leaves it.
# Matters:   others write a layout blobs first, and the manifest last. A promotion with regctl in a shared layout takes away
#            the layer that another job has just written with oras, and that job ends well, with a manifest that names
#            a blob that is not there. Lock a layout, or have one writer.
# Seen:      after oras tag: there
#            after regctl image copy: gone
#            after oras manifest push of sha256: gone
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

export GOBIN="$work/bin" DOCKER_CONFIG="$work" REGCTL_CONFIG="$work/regctl.json"
go install github.com/regclient/regclient/cmd/regctl@v0.11.7
go install oras.land/oras/cmd/oras@v1.3.6

echo text > file.txt
bin/oras push --oci-layout layout:1.0.0-rc.1 file.txt:text/plain > /dev/null
echo "the layer of a push that is under way" > layer.txt
bin/oras blob push --oci-layout layout layer.txt > /dev/null
hex="$(sha256sum layer.txt | cut -d' ' -f1)"
blob="layout/blobs/sha256/$hex"
bin/oras manifest fetch --oci-layout layout:1.0.0-rc.1 |
  sed "s/\(\"layers\":\[{[^}]*sha256:\)[0-9a-f]*\",\"size\":[0-9]*/\1$hex\",\"size\":$(stat -c %s layer.txt)/" > manifest.json
grep -q "$hex" manifest.json
state() { if [ -e "$blob" ]; then echo there; else echo gone; fi; }
{
  bin/oras tag --oci-layout layout:1.0.0-rc.1 1.0.0 > /dev/null
  echo "after oras tag: $(state)"
  bin/regctl image copy ocidir://layout:1.0.0-rc.1 ocidir://layout:stable > /dev/null 2>&1
  echo "after regctl image copy: $(state)"
  bin/oras manifest push --oci-layout layout:2.0.0 manifest.json > /dev/null
  echo "after oras manifest push of $(bin/oras resolve --oci-layout layout:2.0.0 | cut -c1-6): $(state)"
} | tee out
diff out - <<'E'
after oras tag: there
after regctl image copy: gone
after oras manifest push of sha256: gone
E
echo "as described"
