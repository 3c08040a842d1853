#!/usr/bin/env bash
# Guess:     `crane mutate --annotation 'key=a,b'` takes the comma for the start of a second annotation, always or never.
# Behaviour: it depends on how many `=` the argument has. With one it is kept whole; with a second one, in the value, it is cut
#            at every comma, into several annotations. `oras push` and regctl keep it whole either way. With crane 0.22.1,
#            oras 1.3.6 and regctl 0.11.7.
# Matters:   a note that has held commas for a year comes out cut short on the day somebody writes an `=` in it, as in the URL
#            of a query, and what follows becomes a key of its own, without an error. Quoted as in CSV it stays whole:
#            '"key=…"'.
# Seen:      crane, x=1 and 2: {"x":"1 and 2"}
#            crane, x=1,2: {"x":"1,2"}
#            crane, x=?a=1,b=2: {"b":"2","x":"?a=1"}
#            crane, "x=?a=1,b=2": {"x":"?a=1,b=2"}
#            oras, x=?a=1,b=2: {"x":"?a=1,b=2"}
#            regctl, x=?a=1,b=2: {"x":"?a=1,b=2"}
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

app="127.0.0.1:$port/acme/app"
bin/regctl registry set --tls disabled "127.0.0.1:$port" 2> /dev/null
echo text > file.txt
bin/oras push --plain-http "$app:base" file.txt > /dev/null
quietly() { "$@" > log.client 2>&1 || { cat log.client >&2; exit 1; }; }
said() { # NAME: the annotations of app:NAME, but for the time of creation
  bin/crane manifest "$app:$1" |
    sed 's/.*"annotations":\({[^}]*}\).*/\1/; s/"org.opencontainers.image.created":"[^"]*",*//; s/,}$/}/'
}
{
  for a in 'x=1 and 2' 'x=1,2' 'x=?a=1,b=2' '"x=?a=1,b=2"'; do
    quietly bin/crane mutate --annotation "$a" -t "$app:crane" "$app:base"
    echo "crane, $a: $(said crane)"
  done
  quietly bin/oras push --plain-http --annotation 'x=?a=1,b=2' "$app:oras" file.txt
  echo "oras, x=?a=1,b=2: $(said oras)"
  quietly bin/regctl image mod --annotation 'x=?a=1,b=2' --create "$app:regctl" "$app:base"
  echo "regctl, x=?a=1,b=2: $(said regctl)"
} | tee out
diff out - <<'E'
crane, x=1 and 2: {"x":"1 and 2"}
crane, x=1,2: {"x":"1,2"}
crane, x=?a=1,b=2: {"b":"2","x":"?a=1"}
crane, "x=?a=1,b=2": {"x":"?a=1,b=2"}
oras, x=?a=1,b=2: {"x":"?a=1,b=2"}
regctl, x=?a=1,b=2: {"x":"?a=1,b=2"}
E
echo "as described"
