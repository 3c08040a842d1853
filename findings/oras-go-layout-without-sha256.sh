#!/usr/bin/env bash
# Guess:     a program that opens an OCI layout with oras-go's content/oci, and needs no registry, works as any other.
# Behaviour: every layout with a manifest in it is an "invalid OCI Image Index … invalid digest". oras-go and go-digest know
#            sha256 by name only; the algorithm is there once something links crypto/sha256, in most programs the HTTP client
#            that comes with oras-go's root or remote package. A blank import of crypto/sha256 mends it.
# Matters:   a small checker of layouts (which tags does this mirror hold?), or one cut out of a larger program, says that sound
#            layouts are corrupt. The message sends one looking at the bytes, not at the imports.
# Seen:      as it is: refused, invalid digest: true
#            with crypto/sha256: tags [1.0.0]
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > go.mod <<'E'
module finding

go 1.26.0

require oras.land/oras-go/v2 v2.7.0
E
mkdir -p layout/blobs/sha256
manifest='{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
hex="$(printf %s "$manifest" | sha256sum | cut -d' ' -f1)"
printf %s "$manifest" > "layout/blobs/sha256/$hex"
echo '{"imageLayoutVersion":"1.0.0"}' > layout/oci-layout
cat > layout/index.json <<E
{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"sha256:$hex",
"size":${#manifest},"annotations":{"org.opencontainers.image.ref.name":"1.0.0"}}]}
E
cat > main.go <<'E'
package main

import (
	"context"
	"fmt"
	"strings"

	"oras.land/oras-go/v2/content/oci"
)

func main() {
	store, err := oci.New("layout")
	if err != nil {
		fmt.Println("refused, invalid digest:", strings.HasSuffix(err.Error(), "invalid digest"))
		return
	}
	err = store.Tags(context.Background(), "", func(tags []string) error {
		fmt.Println("tags", tags)
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
}
E
{
  echo "as it is: $(go run -mod=mod .)"
  printf 'package main\n\nimport _ "crypto/sha256"\n' > sha256.go
  echo "with crypto/sha256: $(go run -mod=mod .)"
} | tee out
diff out - <<'E'
as it is: refused, invalid digest: true
with crypto/sha256: tags [1.0.0]
E
echo "as described"
