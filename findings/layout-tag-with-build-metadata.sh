#!/usr/bin/env bash
# Guess:     oras refuses to tag an OCI layout with 1.0.0+build.5, as no registry's tag may have a `+`.
# Behaviour: it takes it, in a layout: there the names follow another grammar, which has the `+`. regctl lists that tag and
#            cannot address it. To a registry oras copies it only under another tag.
# Matters:   the layout is where a version in full SemVer gets in unnoticed: the build is green, the tag is listed, and the
#            promotion into the registry is the first to refuse it. Nor does the tag list that one tool prints hold only what
#            this tool can then open. Check versions before the layout is written.
# Seen:      oras tag: 0
#            regctl tag ls: 1.0.0 1.0.0+build.5
#            regctl image digest: 1
#            oras cp to the tag 1.0.0+build.5: 1
#            oras cp to the tag 1.0.0: 0
set -euo pipefail
work="$(mktemp -d)"
server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null || true; rm -rf "$work"' EXIT
cd "$work"

export GOBIN="$work/bin" DOCKER_CONFIG="$work" REGCTL_CONFIG="$work/regctl.json"
go install github.com/google/go-containerregistry/cmd/crane@v0.22.1
go install github.com/regclient/regclient/cmd/regctl@v0.11.7
go install oras.land/oras/cmd/oras@v1.3.6

: > log
bin/crane registry serve --address 127.0.0.1:0 > log 2>&1 &
server=$!
for _ in {1..100}; do
  port="$(sed -n 's/.*serving on port //p' log)"
  [ -z "$port" ] || break
  sleep 0.1
done

code() { local rc=0; "$@" > /dev/null 2> err || rc=$?; echo "$rc"; }
echo text > file.txt
bin/oras push --oci-layout layout:1.0.0 file.txt:text/plain > /dev/null
copy() { bin/oras cp --from-oci-layout layout:1.0.0+build.5 --to-plain-http "127.0.0.1:$port/acme/app:$1"; }
{
  echo "oras tag: $(code bin/oras tag --oci-layout layout:1.0.0 1.0.0+build.5)"
  echo "regctl tag ls: $(bin/regctl tag ls ocidir://layout | sort | paste -sd' ')"
  echo "regctl image digest: $(code bin/regctl image digest ocidir://layout:1.0.0+build.5)"
  echo "oras cp to the tag 1.0.0+build.5: $(code copy 1.0.0+build.5)"
  echo "oras cp to the tag 1.0.0: $(code copy 1.0.0)"
} | tee out
diff out - <<'E'
oras tag: 0
regctl tag ls: 1.0.0 1.0.0+build.5
regctl image digest: 1
oras cp to the tag 1.0.0+build.5: 1
oras cp to the tag 1.0.0: 0
E
echo "as described"
