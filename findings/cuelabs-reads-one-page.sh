#!/usr/bin/env bash
# Guess:     ociclient of cuelabs.dev/go/oci, oras-go and go-containerregistry list the same tags of the same registry.
# Behaviour: ociclient asks for 1,000 at once and takes any shorter answer for the last one, whatever the `Link` header says. A
#            registry whose pages are smaller than that is read to the end of its first page. A ListPageSize no greater than
#            the registry's page mends it. Seen with a CNCF Distribution 3.1.2 of at most 2 tags a page.
# Matters:   there are registries with pages of 100. Nothing fails: the newest version is that of the first page, a version
#            that is there "is not there yet", and one counts on from an old number.
# Seen:      ociclient, ListPageSize 0: [0.0.1 0.0.2]
#            ociclient, ListPageSize 2: [0.0.1 0.0.2 0.0.3 0.0.4 0.0.5]
#            go-containerregistry: [0.0.1 0.0.2 0.0.3 0.0.4 0.0.5]
#            oras-go: [0.0.1 0.0.2 0.0.3 0.0.4 0.0.5]
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > go.mod <<'E'
module finding

go 1.26.0

require (
	cuelabs.dev/go/oci/ociregistry v0.0.0-20251212221603-3adeb8663819
	github.com/distribution/distribution/v3 v3.1.2
	github.com/google/go-containerregistry v0.22.1
	oras.land/oras-go/v2 v2.7.0
)
E
cat > main.go <<'E'
package main

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"cuelabs.dev/go/oci/ociregistry/ociclient"
	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/google/go-containerregistry/pkg/name"
	ggcr "github.com/google/go-containerregistry/pkg/v1/remote"
	oras "oras.land/oras-go/v2"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
)

func main() {
	ctx := context.Background()
	config := &configuration.Configuration{Storage: configuration.Storage{"inmemory": {}, "tag": {}}}
	config.Tags.MaxTags = 2
	srv := httptest.NewServer(handlers.NewApp(ctx, config))
	defer srv.Close()
	host := srv.Listener.Addr().String()

	repo, err := remote.NewRepository(host + "/acme/app")
	must(err)
	repo.PlainHTTP = true
	d, err := oras.PackManifest(ctx, repo, oras.PackManifestVersion1_1, "application/vnd.acme.app", oras.PackManifestOptions{})
	must(err)
	for i := range 5 {
		must(repo.Tag(ctx, d, fmt.Sprint("0.0.", i+1)))
	}

	for _, size := range []int{0, 2} {
		client, err := ociclient.New(host, &ociclient.Options{Insecure: true, ListPageSize: size})
		must(err)
		var tags []string
		for tag, err := range client.Tags(ctx, "acme/app", "") {
			must(err)
			tags = append(tags, tag)
		}
		fmt.Printf("ociclient, ListPageSize %d: %v\n", size, tags)
	}
	named, err := name.NewRepository(host + "/acme/app")
	must(err)
	tags, err := ggcr.List(named)
	must(err)
	fmt.Println("go-containerregistry:", tags)
	tags, err = registry.Tags(ctx, repo)
	must(err)
	fmt.Println("oras-go:", tags)
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
E
OTEL_TRACES_EXPORTER=none go run -mod=mod . 2> log > out || { cat log >&2; exit 1; }
cat out
diff out - <<'E'
ociclient, ListPageSize 0: [0.0.1 0.0.2]
ociclient, ListPageSize 2: [0.0.1 0.0.2 0.0.3 0.0.4 0.0.5]
go-containerregistry: [0.0.1 0.0.2 0.0.3 0.0.4 0.0.5]
oras-go: [0.0.1 0.0.2 0.0.3 0.0.4 0.0.5]
E
echo "as described"
