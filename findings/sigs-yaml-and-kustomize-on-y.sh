#!/usr/bin/env bash
# Guess:     a ConfigMap has the same keys whether it is read as it is, by sigs.k8s.io/yaml, or has gone through kustomize; that
#            `on` and `yes` are booleans for the first is known, `y` and `n` are just letters.
# Behaviour: for sigs.k8s.io/yaml 1.6.0 `y` is `true` and `n` is `false`, as keys too. kustomize (api 0.20.1) takes them for
#            letters and writes them in quotes, after which both agree.
# Matters:   a ConfigMap of coordinates or answers changes its keys when a folder of plain manifests gets a kustomization, or
#            loses it, and what compares the file with what was built sees a difference that nobody made. Quote the keys.
# Seen:      as it is: false=2 true=1 x=0
#            through kustomize: n=2 x=0 y=1
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > go.mod <<'E'
module finding

go 1.26.0

require (
	sigs.k8s.io/kustomize/api v0.20.1
	sigs.k8s.io/kustomize/kyaml v0.20.1
	sigs.k8s.io/yaml v1.6.0
)
E
cat > main.go <<'E'
package main

import (
	"fmt"
	"log"
	"maps"
	"slices"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const object = `apiVersion: v1
kind: ConfigMap
metadata:
  name: app
data:
  x: "0"
  y: "1"
  n: "2"
`

func main() {
	show("as it is", []byte(object))

	files := filesys.MakeFsInMemory()
	must(files.WriteFile("/app/app.yaml", []byte(object)))
	must(files.WriteFile("/app/kustomization.yaml", []byte("resources: [app.yaml]\n")))
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, "/app")
	must(err)
	text, err := built.AsYaml()
	must(err)
	show("through kustomize", text)
}

func show(what string, text []byte) {
	var object struct{ Data map[string]string }
	must(yaml.Unmarshal(text, &object))
	fmt.Print(what, ":")
	for _, key := range slices.Sorted(maps.Keys(object.Data)) {
		fmt.Print(" ", key, "=", object.Data[key])
	}
	fmt.Println()
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
E
go run -mod=mod . | tee out
diff out - <<'E'
as it is: false=2 true=1 x=0
through kustomize: n=2 x=0 y=1
E
echo "as described"
