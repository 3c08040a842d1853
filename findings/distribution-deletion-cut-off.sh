#!/usr/bin/env bash
# Guess:     a deletion by digest whose client goes away before the answer is done as a whole or not at all; if not, asking again
#            does the rest.
# Behaviour: CNCF Distribution 3.1.2 deletes the manifest whatever becomes of the client, then looks for its tags under the
#            request's context, which ends with the connection, and finds none, or not all. They stay in the list and name
#            nothing. The same deletion again is a 404, and mends nothing; a deletion of each tag does. How many stay is a
#            matter of time: a client that left at once left all in 182 of 200 tries on a disk. Here the request is held back
#            until its client is gone, so that it is always all.
# Matters:   a clean-up job that is cancelled or times out leaves tags that every client lists and none can fetch. What takes
#            the newest tag of the list (a policy, a promotion) breaks on it from then on, and the re-run of the clean-up takes
#            the 404 for "done before". Delete a digest's tags first, then the digest.
# Seen:      cut off: digest 404, listed [1.0.0 stable], 1.0.0 404
#            again: 404, listed [1.0.0 stable]
#            each tag: 202 202, listed []
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > go.mod <<'E'
module finding

go 1.26.0

require (
	github.com/distribution/distribution/v3 v3.1.2
	oras.land/oras-go/v2 v2.7.0
)
E
cat > main.go <<'E'
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	oras "oras.land/oras-go/v2"
	"oras.land/oras-go/v2/registry/remote"
)

const repository = "/v2/acme/app"

func main() {
	ctx := context.Background()
	app := handlers.NewApp(ctx, &configuration.Configuration{
		Storage: configuration.Storage{"inmemory": {}, "delete": {"enabled": true}},
	})
	done := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Cut-Off") == "" {
			app.ServeHTTP(w, r)
			return
		}
		<-r.Context().Done() // the client is gone
		app.ServeHTTP(w, r)
		close(done)
	}))
	host := srv.Listener.Addr().String()

	repo, err := remote.NewRepository(host + "/acme/app")
	must(err)
	repo.PlainHTTP = true
	d, err := oras.PackManifest(ctx, repo, oras.PackManifestVersion1_1, "application/vnd.acme.app", oras.PackManifestOptions{})
	must(err)
	must(repo.Tag(ctx, d, "1.0.0"))
	must(repo.Tag(ctx, d, "stable"))
	manifests := srv.URL + repository + "/manifests/"
	digest := manifests + d.Digest.String()

	conn, err := net.Dial("tcp", host)
	must(err)
	_, err = fmt.Fprintf(conn, "DELETE %s/manifests/%s HTTP/1.1\r\nHost: %s\r\nX-Cut-Off: yes\r\n\r\n", repository, d.Digest, host)
	must(err)
	must(conn.Close())
	<-done
	gone, named := status("HEAD", digest), status("HEAD", manifests+"1.0.0")
	fmt.Printf("cut off: digest %d, listed %v, 1.0.0 %d\n", gone, listed(srv.URL), named)
	fmt.Printf("again: %d, listed %v\n", status("DELETE", digest), listed(srv.URL))
	first, second := status("DELETE", manifests+"1.0.0"), status("DELETE", manifests+"stable")
	fmt.Printf("each tag: %d %d, listed %v\n", first, second, listed(srv.URL))
}

func status(method, url string) int {
	req, err := http.NewRequest(method, url, nil)
	must(err)
	req.Header.Set("Accept", "application/vnd.oci.image.manifest.v1+json")
	resp, err := http.DefaultClient.Do(req)
	must(err)
	resp.Body.Close()
	return resp.StatusCode
}

func listed(url string) []string {
	resp, err := http.Get(url + repository + "/tags/list")
	must(err)
	defer resp.Body.Close()
	var list struct{ Tags []string }
	must(json.NewDecoder(resp.Body).Decode(&list))
	return list.Tags
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
cut off: digest 404, listed [1.0.0 stable], 1.0.0 404
again: 404, listed [1.0.0 stable]
each tag: 202 202, listed []
E
echo "as described"
