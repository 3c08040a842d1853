#!/usr/bin/env bash
# Guess:     to pull a tag that has moved into an OCI layout once more with crane replaces the layout's entry of that tag, as
#            oras and regctl do; if not, the readers of layouts agree on which entry counts.
# Behaviour: crane only ever appends. Two entries of one name and two digests are left, and even a pull that brings nothing new
#            adds one. Of these regctl takes the first, so the *old* content; oras-go takes the last.
# Matters:   a layout kept between runs of a job (a cache, an air-gapped mirror) goes on delivering what the tag was at the
#            first pull, without an error, or the new content, by the tool that reads it. Promote from a layout by digest, or
#            pull into an empty one.
# Seen:      entries: app:1.0.0=old app:1.0.0=new app:1.0.0=new
#            regctl: old
#            oras-go: new
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

app="127.0.0.1:$port/acme/app:1.0.0"
publish() { # moves the tag to an image with this text in it
  echo "$1" > text && tar -cf text.tar text
  bin/crane append --oci-empty-base -f text.tar -t "$app" > /dev/null 2>&1
  bin/crane digest "$app"
}
pull() { bin/crane pull --format=oci --annotate-ref "$app" layout > /dev/null 2>&1; }
old="$(publish old)"; pull
new="$(publish new)"; pull; pull

cat > go.mod <<'E'
module finding

go 1.26.0

require oras.land/oras-go/v2 v2.7.0
E
cat > main.go <<'E'
package main

import (
	"context"
	_ "crypto/sha256" // see oras-go-layout-without-sha256.sh
	"fmt"
	"log"
	"os"

	"oras.land/oras-go/v2/content/oci"
)

func main() {
	store, err := oci.NewFromFS(context.Background(), os.DirFS("layout"))
	if err != nil {
		log.Fatal(err)
	}
	d, err := store.Resolve(context.Background(), os.Args[1])
	fmt.Println(d.Digest, err)
}
E
named() { sed -e "s/$old/old/g" -e "s/$new/new/g"; }
{
  echo "entries: $(tr -d ' \n' < layout/index.json | sed 's/},*{"mediaType/\n&/g' | named |
    sed -nE 's/.*"digest":"([a-z]+)".*acme\/(app:[0-9.]+)".*/\2=\1/p' | paste -sd' ')"
  echo "regctl: $(bin/regctl image digest ocidir://layout:1.0.0 | named)"
  echo "oras-go: $(go run -mod=mod . "$app" | named)"
} | tee out
diff out - <<'E'
entries: app:1.0.0=old app:1.0.0=new app:1.0.0=new
regctl: old
oras-go: new <nil>
E
echo "as described"
