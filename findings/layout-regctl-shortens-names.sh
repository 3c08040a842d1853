#!/usr/bin/env bash
# Guess:     in an OCI layout whose entries carry full names, as crane writes them with --annotate-ref, regctl finds a bare tag
#            nowhere (oras-go looks a name up as it is written), or says that it is ambiguous.
# Behaviour: regctl cuts each name down to what follows the last colon. Of two repositories in one layout it lists a single
#            tag 1.0.0, and that tag is whichever of the two came first. oras lists both names in full.
# Matters:   a mirror of several applications in one layout, each at its own 1.0.0, promotes the first one's content as the
#            second one's, and nothing fails. One layout for one repository, or by digest.
# Seen:      oras: 127.0.0.1:…/acme/api:1.0.0 127.0.0.1:…/acme/web:1.0.0
#            regctl: 1.0.0
#            regctl's 1.0.0: api
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

for app in api web; do
  echo "$app" > text && tar -cf text.tar text
  bin/crane append --oci-empty-base -f text.tar -t "127.0.0.1:$port/acme/$app:1.0.0" > /dev/null 2>&1
  bin/crane pull --format=oci --annotate-ref "127.0.0.1:$port/acme/$app:1.0.0" layout > /dev/null 2>&1
done
api="$(bin/crane digest "127.0.0.1:$port/acme/api:1.0.0")"
web="$(bin/crane digest "127.0.0.1:$port/acme/web:1.0.0")"
{
  echo "oras: $(bin/oras repo tags --oci-layout layout | sort | sed "s/:$port//" | paste -sd' ')"
  echo "regctl: $(bin/regctl tag ls ocidir://layout | paste -sd' ')"
  echo "regctl's 1.0.0: $(bin/regctl image digest ocidir://layout:1.0.0 | sed -e "s/$api/api/" -e "s/$web/web/")"
} | tee out
diff out - <<'E'
oras: 127.0.0.1/acme/api:1.0.0 127.0.0.1/acme/web:1.0.0
regctl: 1.0.0
regctl's 1.0.0: api
E
echo "as described"
