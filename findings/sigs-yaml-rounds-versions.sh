#!/usr/bin/env bash
# Guess:     where a Go field is a string and the YAML holds a bare number, sigs.k8s.io/yaml takes the number as a float and
#            drops only what a float drops: 1.10 becomes "1.1", and 20261012.1 stays as it is.
# Behaviour: it writes the float with the precision of *32* bits, so about seven digits are left of any number with a point, and
#            a short hash that reads as a number becomes "+Inf". Whole numbers are not touched, and yaml.v3 gives each as it
#            is written. With sigs.k8s.io/yaml 1.6.0 and go.yaml.in/yaml/v3 3.0.4.
# Matters:   a version by date and build, or a commit, in a file of settings that is read into strings: two builds of one day
#            become the same version, without an error. Quote versions, or test that what was read is in the tag list.
# Seen:      20261012.1: sigs "2.0261012e+07", v3 "20261012.1"
#            20261012.2: sigs "2.0261012e+07", v3 "20261012.2"
#            1234e56: sigs "+Inf", v3 "1234e56"
#            2026101201: sigs "2026101201", v3 "2026101201"
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > go.mod <<'E'
module finding

go 1.26.0

require (
	go.yaml.in/yaml/v3 v3.0.4
	sigs.k8s.io/yaml v1.6.0
)
E
cat > main.go <<'E'
package main

import (
	"fmt"
	"log"

	v3 "go.yaml.in/yaml/v3"
	sigs "sigs.k8s.io/yaml"
)

func main() {
	for _, version := range []string{"20261012.1", "20261012.2", "1234e56", "2026101201"} {
		var a, b struct{ Version string }
		must(sigs.Unmarshal([]byte("version: "+version), &a))
		must(v3.Unmarshal([]byte("version: "+version), &b))
		fmt.Printf("%s: sigs %q, v3 %q\n", version, a.Version, b.Version)
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
E
go run -mod=mod . | tee out
diff out - <<'E'
20261012.1: sigs "2.0261012e+07", v3 "20261012.1"
20261012.2: sigs "2.0261012e+07", v3 "20261012.2"
1234e56: sigs "+Inf", v3 "1234e56"
2026101201: sigs "2026101201", v3 "2026101201"
E
echo "as described"
