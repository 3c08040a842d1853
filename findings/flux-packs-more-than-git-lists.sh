#!/usr/bin/env bash
# Guess:     the usual way to pack YAML and nothing else, `*` then `!*/` then `!*.yaml`, leaves out in Flux what git leaves out.
# Behaviour: fluxcd/pkg/oci (what `flux push artifact` builds with) packs every file of every subfolder. For the matcher of
#            sourceignore `!*/` takes in not the folder alone but also all that lies in it. Only at the top does the `*` still
#            hold. With fluxcd/pkg/oci 0.70.0 and sourceignore 0.19.0.
# Matters:   the list was tried with `git check-ignore`, or at the top level, and looks right; what was to stay out (notes, test
#            data, keys) is published from the first subfolder on. Name the folders (`/*` and `!/deploy`), and look into the
#            artifact.
# Seen:      git: app/deploy.yaml top.yaml
#            flux: app/deploy.yaml app/notes.txt top.yaml
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir -p folder/app
touch folder/app/deploy.yaml folder/app/notes.txt folder/top.yaml folder/top.txt
printf '%s\n' '*' '!*/' '!*.yaml' > list

cat > go.mod <<'E'
module finding

go 1.26.0

require github.com/fluxcd/pkg/oci v0.70.0
E
cat > main.go <<'E'
package main

import (
	"log"
	"os"
	"strings"

	"github.com/fluxcd/pkg/oci"
)

func main() {
	list, err := os.ReadFile("list")
	if err != nil {
		log.Fatal(err)
	}
	if err := oci.NewClient(nil).Build("built.tgz", "folder", strings.Fields(string(list))); err != nil {
		log.Fatal(err)
	}
}
E
go run -mod=mod . 2> log || { cat log >&2; exit 1; }
export HOME="$work" GIT_CONFIG_NOSYSTEM=1
git init -q folder
{
  echo "git: $(git -C folder ls-files --others --exclude-from=../list | sort | paste -sd' ')"
  echo "flux: $(tar -tvzf built.tgz | awk '/^-/ { print $NF }' | sort | paste -sd' ')"
} | tee out
diff out - <<'E'
git: app/deploy.yaml top.yaml
flux: app/deploy.yaml app/notes.txt top.yaml
E
echo "as described"
