#!/usr/bin/env bash
# Guess:     `regctl image mod --create NEW OLD` makes the tag NEW, whatever there is to change in OLD.
# Behaviour: if nothing has to be changed, it prints NEW and ends well, and there is no such tag. With regctl 0.11.7.
# Matters:   "promote, and mark it as promoted" in one command works the first time. Run on what has the mark already (a re-run,
#            a second stage, an artifact that was built with it) it promotes nothing and reports the new name. Change with
#            `image mod`, then tag with `image copy`, and ask for the digest of the new tag.
# Seen:      unmarked: 0, says app:1.0.0, tags rc 1.0.0
#            marked already: 0, says app:2.0.0, tags rc 1.0.0
#            image copy: 0, says app:3.0.0, tags rc 3.0.0 1.0.0
set -euo pipefail
work="$(mktemp -d)"
server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null || true; rm -rf "$work"' EXIT
cd "$work"

export GOBIN="$work/bin" DOCKER_CONFIG="$work" REGCTL_CONFIG="$work/regctl.json"
go install github.com/google/go-containerregistry/cmd/crane@v0.22.1
go install github.com/regclient/regclient/cmd/regctl@v0.11.7

: > log
bin/crane registry serve --address 127.0.0.1:0 > log 2>&1 &
server=$!
for _ in {1..100}; do
  port="$(sed -n 's/.*serving on port //p' log)"
  [ -z "$port" ] || break
  sleep 0.1
done

app="127.0.0.1:$port/acme/app"
bin/regctl registry set --tls disabled "127.0.0.1:$port" 2> /dev/null
echo text > file.txt
bin/regctl artifact put --artifact-type application/vnd.acme.app -f file.txt "$app:rc" > /dev/null
try() { # WHAT WORDS
  local rc=0 what="$1" said
  shift
  said="$("$@" 2> log.client)" || rc=$?
  echo "$what: $rc, says ${said##*/}, tags $(bin/crane ls "$app" | sort -r | paste -sd' ')"
}
{
  try "unmarked" bin/regctl image mod --annotation promoted=true --create "$app:1.0.0" "$app:rc"
  try "marked already" bin/regctl image mod --annotation promoted=true --create "$app:2.0.0" "$app:1.0.0"
  try "image copy" bin/regctl image copy "$app:1.0.0" "$app:3.0.0"
} | tee out
diff out - <<'E'
unmarked: 0, says app:1.0.0, tags rc 1.0.0
marked already: 0, says app:2.0.0, tags rc 1.0.0
image copy: 0, says app:3.0.0, tags rc 3.0.0 1.0.0
E
echo "as described"
