#!/usr/bin/env bash
# Guess:     a tab within a value without quotes stays, as YAML has it: only tabs around a value are dropped.
# Behaviour: github.com/goccy/go-yaml 1.19.2 drops it, and joins what it parted: `a<TAB>b` is read as "ab". It also *writes*
#            such a string without quotes, so it does not get its own string back. sigs.k8s.io/yaml 1.6.0 reads and writes
#            it whole. In quotes and in a block (`|`) the tab stays with both.
# Matters:   lines cut out of a table or a log (`NAME<TAB>VERSION`, a digest and a name) go into annotations and ConfigMaps.
#            What goccy wrote is right for Kubernetes and wrong for the next tool with goccy in it, without an error.
# Seen:      plain: goccy "acme1.0.0", sigs "acme\t1.0.0"
#            quoted: goccy "acme\t1.0.0", sigs "acme\t1.0.0"
#            written by goccy: goccy "acme1.0.0", sigs "acme\t1.0.0"
#            written by sigs: goccy "acme\t1.0.0", sigs "acme\t1.0.0"
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > go.mod <<'E'
module finding

go 1.26.0

require (
	github.com/goccy/go-yaml v1.19.2
	sigs.k8s.io/yaml v1.6.0
)
E
cat > main.go <<'E'
package main

import (
	"fmt"
	"log"

	goccy "github.com/goccy/go-yaml"
	sigs "sigs.k8s.io/yaml"
)

func main() {
	value := map[string]string{"app": "acme\t1.0.0"}
	read("plain", []byte("app: acme\t1.0.0\n"))
	read("quoted", []byte("app: \"acme\t1.0.0\"\n"))
	text, err := goccy.Marshal(value)
	must(err)
	read("written by goccy", text)
	text, err = sigs.Marshal(value)
	must(err)
	read("written by sigs", text)
}

func read(what string, text []byte) {
	var one, other map[string]string
	must(goccy.Unmarshal(text, &one))
	must(sigs.Unmarshal(text, &other))
	fmt.Printf("%s: goccy %q, sigs %q\n", what, one["app"], other["app"])
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
E
go run -mod=mod . | tee out
diff out - <<'E'
plain: goccy "acme1.0.0", sigs "acme\t1.0.0"
quoted: goccy "acme\t1.0.0", sigs "acme\t1.0.0"
written by goccy: goccy "acme1.0.0", sigs "acme\t1.0.0"
written by sigs: goccy "acme\t1.0.0", sigs "acme\t1.0.0"
E
echo "as described"
