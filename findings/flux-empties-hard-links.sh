#!/usr/bin/env bash
# Guess:     a tar with a hard link in it is refused by Flux's fluxcd/pkg/tar, as one with a symlink is, or the link becomes a
#            second copy.
# Behaviour: it is taken without an error, and the second name is an *empty* file. GNU tar writes a hard link for every file
#            whose content it has put in already under another name, and reads both names back. With fluxcd/pkg/tar 1.2.0.
# Matters:   a folder made with `cp -l` or by a tool that shares files, packed with tar and pushed with oras or crane, is whole
#            for whoever unpacks it with tar, but Flux gets an empty YAML file, which is no error and holds no object. Pack
#            with `tar --hard-dereference`.
# Seen:      tar: first=kind second=kind
#            flux: first=kind second=
#            flux, --hard-dereference: first=kind second=kind
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir folder
echo kind > folder/first.yaml
ln folder/first.yaml folder/second.yaml
tar -czf linked.tgz -C folder first.yaml second.yaml
tar -czf plain.tgz --hard-dereference -C folder first.yaml second.yaml

cat > go.mod <<'E'
module finding

go 1.26.0

require github.com/fluxcd/pkg/tar v1.2.0
E
cat > main.go <<'E'
package main

import (
	"log"
	"os"

	"github.com/fluxcd/pkg/tar"
)

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	if err := tar.Untar(file, os.Args[2]); err != nil {
		log.Fatal(err)
	}
}
E
mkdir by-tar by-flux by-flux-plain
tar -xzf linked.tgz -C by-tar
go run -mod=mod . linked.tgz by-flux
go run -mod=mod . plain.tgz by-flux-plain
held() { echo "$1: first=$(cat "$2/first.yaml") second=$(cat "$2/second.yaml")"; }
{
  held "tar" by-tar
  held "flux" by-flux
  held "flux, --hard-dereference" by-flux-plain
} | tee out
diff out - <<'E'
tar: first=kind second=kind
flux: first=kind second=
flux, --hard-dereference: first=kind second=kind
E
echo "as described"
