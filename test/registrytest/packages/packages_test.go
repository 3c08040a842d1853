package packages

import (
	"encoding/json"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/test/internet"
	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

func TestMain(m *testing.M) { programtest.Main(m) }

const fleet = "acme/fleet/platform"

// build has the program build the n-th commit into a repository of ghcr.io.
func build(t *testing.T, env []string, repository, commit string, n int) {
	t.Helper()
	dir := t.TempDir()
	programtest.Write(t, filepath.Join(dir, "app.yaml"), "commit: "+commit+"\n")
	r := programtest.Run(t, append(env, programtest.DayOf(n)), "build", "--repository", repository, "--path", dir,
		"--revision", "main@sha1:"+commit, "--height", strconv.Itoa(n+1), "--retry-for", "0s")
	if r.Code != 0 || !strings.HasPrefix(r.Stdout, "build: created") {
		t.Fatalf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

// agree checks that the tags of the registry are those of the versions.
func (g *GitHub) agree(t *testing.T, versions int) {
	t.Helper()
	tags := map[string]string{}
	all := g.Hub.Versions(fleet)
	for id, named := range all {
		for _, tag := range named {
			tags[tag] = id
		}
	}
	if !maps.Equal(tags, g.Tags(fleet)) || len(all) != versions {
		t.Errorf("the versions are %v, and the tags %v", all, g.Tags(fleet))
	}
}

// What the program pushes to ghcr.io is a version with its tags; the Packages API deletes it with all of them, and nothing else. The registry deletes nothing.
func TestGHCR(t *testing.T) {
	n := internet.New(t)
	now := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	g := Start(t, func() time.Time { return now })
	env := g.Play(n)
	build(t, env, "ghcr.io/"+fleet, programtest.CommitA, 0)
	g.agree(t, 1)
	build(t, env, "ghcr.io/"+fleet, programtest.CommitB, 1)
	g.agree(t, 2)
	first := g.Tags(fleet)["sha-"+programtest.CommitA[:7]]
	if first == "" || len(g.Hub.Versions(fleet)[first]) != 3 {
		t.Fatalf("the versions are %v", g.Hub.Versions(fleet))
	}
	versions := "/orgs/acme/packages/container/fleet%2Fplatform/versions"
	for _, base := range []string{g.APIURL(), "http://" + g.API.Host} {
		var all []struct {
			ID      int64
			Name    string
			Created time.Time `json:"created_at"`
			Updated time.Time `json:"updated_at"`
		}
		if status := ask(t, http.MethodGet, base+versions, Token, "", &all); status != http.StatusOK || len(all) != 2 {
			t.Fatalf("%d, %+v", status, all)
		}
		if v := all[1]; v.ID != 1 || v.Name != first || !v.Created.Equal(now) || !v.Updated.Equal(now) {
			t.Errorf("the oldest is %+v", v)
		}
	}
	g.API.Intercept(registrytest.On(http.MethodDelete, "", registrytest.Times(1, registrytest.Status(http.StatusBadGateway, nil, "<html>"))))
	for _, want := range []int{http.StatusBadGateway, http.StatusNoContent, http.StatusNotFound} {
		if status := ask(t, http.MethodDelete, g.APIURL()+versions+"/1", Token, "", nil); status != want {
			t.Errorf("%d, want %d\n%s", status, want, g.API.RequestLog())
		}
	}
	g.agree(t, 1)
	if len(g.Tags(fleet)) != 3 || g.Hub.Versions(fleet)[first] != nil {
		t.Errorf("the tags are %v", g.Tags(fleet))
	}
	for path, want := range map[string]int{ // the last with a tag, the name with a slash or with one escaped twice, another kind of owner
		versions + "/2": http.StatusBadRequest,
		strings.Replace(versions, "%2F", "/", 1) + "/2":      http.StatusNotFound,
		strings.Replace(versions, "%2F", "%252F", 1) + "/2":  http.StatusNotFound,
		strings.Replace(versions, "orgs", "users", 1) + "/2": http.StatusNotFound,
	} {
		if status := ask(t, http.MethodDelete, g.APIURL()+path, Token, "", nil); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	if status := ask(t, http.MethodDelete, g.APIURL()+versions+"/2", "another", "", nil); status != http.StatusUnauthorized {
		t.Errorf("another token: %d", status)
	}
	g.agree(t, 1)
}

// ask sends a request, and reads the answer as JSON where that is wanted.
func ask(t *testing.T, method, address, bearer, body string, answer any) (status int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	r.Header.Set("Content-Type", ocispec.MediaTypeImageIndex)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if answer != nil && json.NewDecoder(resp.Body).Decode(answer) != nil {
		t.Errorf("%s answers what is not wanted", address)
	}
	return resp.StatusCode
}

// bearer logs in.
func (g *GitHub) bearer(t *testing.T) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+g.Registry.Host+"/token?scope=repository:"+programtest.Fleet+":pull,push", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(Actor, Token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct{ Token string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer.Token
}

// The registry's half answers as ghcr.io does (docs/facts.md 16), and takes an index of what it has.
func TestRegistry(t *testing.T) {
	g := Start(t, nil)
	a := programtest.BuildFor(t, g.Registry, programtest.CommitA, 0)
	bearer := g.bearer(t)
	below := "/v2/" + programtest.Fleet
	index := `{"schemaVersion":2,"mediaType":"` + ocispec.MediaTypeImageIndex + `","manifests":[{"mediaType":"` + ocispec.MediaTypeImageManifest + `","digest":"`
	for _, test := range []struct {
		method, path, body string
		status             int
	}{
		{http.MethodDelete, below + "/manifests/" + a.Digest, "", http.StatusMethodNotAllowed},
		{http.MethodDelete, below + "/manifests/" + a.Tag, "", http.StatusMethodNotAllowed},
		{http.MethodGet, below + "/referrers/" + a.Digest, "", http.StatusNotFound},
		{http.MethodGet, "/v2/", "", http.StatusOK},
		{http.MethodPut, below + "/manifests/both", index + a.Digest + `","size":1}]}`, http.StatusCreated},
		{http.MethodPut, below + "/manifests/none", index + "sha256:" + strings.Repeat("0", 64) + `","size":1}]}`, http.StatusBadRequest},
	} {
		if got := ask(t, test.method, "http://"+g.Registry.Host+test.path, bearer, test.body, nil); got != test.status {
			t.Errorf("%s %s: %d, want %d", test.method, test.path, got, test.status)
		}
	}
	if all := g.Hub.Versions(programtest.Fleet); len(all) != 2 || len(all[a.Digest]) != 3 {
		t.Errorf("the versions are %v", all)
	}
	id := g.Put(programtest.Fleet, []byte(`{"mediaType":"`+ocispec.MediaTypeImageManifest+`"}`), "by-hand")
	if g.Tags(programtest.Fleet)["by-hand"] != id || !slices.Equal(g.Hub.Versions(programtest.Fleet)[id], []string{"by-hand"}) {
		t.Errorf("the tags are %v", g.Tags(programtest.Fleet))
	}
}
