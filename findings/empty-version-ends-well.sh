#!/usr/bin/env bash
# Guess:     a reference whose tag is empty (`app:$VERSION` with no VERSION) is refused by all the clients, as `app:+` is.
# Behaviour: oras-go reads `app:` as `app`, so `oras push` and `oras cp` upload everything, report the name with its colon,
#            end well, and tag nothing. `crane tag SOURCE ""` ends well too: it asks its registry for a tag without a name,
#            and go-containerregistry's own makes one. regctl, and crane with `app:` as a reference, refuse. With oras 1.3.6,
#            crane 0.22.1, regctl 0.11.7.
# Matters:   a step that forgot to pass its version on is green, with a digest in its log, and no tag leads to the artifact:
#            Flux sees nothing, and a sweep of untagged manifests takes it. Use `${VERSION:?}`.
# Seen:      oras push: 0, tags []
#            oras cp: 0, tags []
#            crane copy: 1, tags []
#            regctl image copy: 1, tags []
#            crane tag: 0, tags [<no name>]
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

at="127.0.0.1:$port/acme" VERSION=
bin/regctl registry set --tls disabled "127.0.0.1:$port" 2> /dev/null
echo text > file.txt
bin/oras push --plain-http "$at/from:1.0.0" file.txt > /dev/null
try() { # REPOSITORY WORDS: the exit code, and the tags that are there now
  local rc=0 tags repository="$1"
  shift
  "bin/$@" > log.client 2>&1 || rc=$?
  tags="$(bin/crane ls "$at/$repository" 2> /dev/null | sed 's/^$/<no name>/' | paste -sd' ' || true)"
  echo "$1 $([ "$2" = image ] && echo image copy || echo "$2"): $rc, tags [$tags]"
}
{
  try pushed oras push --plain-http "$at/pushed:$VERSION" file.txt
  try copied oras cp --from-plain-http --to-plain-http "$at/from:1.0.0" "$at/copied:$VERSION"
  try craned crane copy "$at/from:1.0.0" "$at/craned:$VERSION"
  try regctled regctl image copy "$at/from:1.0.0" "$at/regctled:$VERSION"
  bin/oras cp --from-plain-http --to-plain-http "$at/from:1.0.0" "$at/tagged" > /dev/null
  try tagged crane tag "$at/tagged@$(bin/crane digest "$at/from:1.0.0")" "$VERSION"
} | tee out
diff out - <<'E'
oras push: 0, tags []
oras cp: 0, tags []
crane copy: 1, tags []
regctl image copy: 1, tags []
crane tag: 0, tags [<no name>]
E
echo "as described"
