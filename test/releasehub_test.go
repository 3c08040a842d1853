package test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// releases is the part of GitHub's API that holds releases, with its ways: a draft has no place under its tag, an
// asset's name is taken once, and an upload that broke off leaves an asset in state "starter".
type releases struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	list     []*ghRelease
	uploads  int    // since the start
	breakOff int    // break the connection in the upload of this number, from 1
	attested string // the digest that has provenance
}

type ghRelease struct {
	ID         int        `json:"id"`
	TagName    string     `json:"tag_name"`
	Name       string     `json:"name"`
	Body       string     `json:"body"`
	Draft      bool       `json:"draft"`
	MakeLatest string     `json:"make_latest,omitempty"`
	UploadURL  string     `json:"upload_url"`
	Assets     []*ghAsset `json:"assets"`
}

type ghAsset struct {
	ID     int    `json:"id"`
	Name   string `json:"name"`
	State  string `json:"state"`
	Size   int    `json:"size"`
	Digest string `json:"digest,omitempty"`
}

func startReleases(t *testing.T) *releases {
	t.Helper()
	hub := &releases{t: t}
	mux := http.NewServeMux()
	const root = "/repos/oci-promote/oci-promote/releases"
	mux.HandleFunc("GET "+root+"/tags/{tag}", func(w http.ResponseWriter, r *http.Request) {
		for _, release := range hub.list {
			if release.TagName == r.PathValue("tag") && !release.Draft {
				hub.answer(w, http.StatusOK, release)
				return
			}
		}
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
	})
	mux.HandleFunc("GET "+root, func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.FormValue("page"))
		size, _ := strconv.Atoi(r.FormValue("per_page"))
		from := min((page-1)*size, len(hub.list))
		hub.answer(w, http.StatusOK, append([]*ghRelease{}, hub.list[from:min(from+size, len(hub.list))]...))
	})
	mux.HandleFunc("POST "+root, hub.create)
	mux.HandleFunc("PATCH "+root+"/{id}", hub.edit)
	mux.HandleFunc("DELETE "+root+"/assets/{id}", hub.remove)
	mux.HandleFunc("POST /upload/{id}", hub.upload)
	mux.HandleFunc("GET /repos/oci-promote/oci-promote/attestations/{digest}", hub.attestations)
	hub.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hub.mu.Lock()
		defer hub.mu.Unlock()
		if r.Header.Get("Authorization") != "Bearer "+apiToken {
			http.Error(w, `{"message":"Bad credentials"}`, http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(hub.Close)
	return hub
}

func (hub *releases) env() []string {
	return []string{"GITHUB_API_URL=" + hub.URL, "GITHUB_TOKEN=" + apiToken}
}

func (hub *releases) answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

func (hub *releases) create(w http.ResponseWriter, r *http.Request) {
	release := &ghRelease{ID: len(hub.list) + 1, Assets: []*ghAsset{}}
	if err := json.NewDecoder(r.Body).Decode(release); err != nil || release.TagName == "" {
		http.Error(w, `{"message":"Problems parsing JSON"}`, http.StatusBadRequest)
		return
	}
	release.UploadURL = fmt.Sprintf("%s/upload/%d{?name,label}", hub.URL, release.ID)
	hub.list = append(hub.list, release)
	hub.answer(w, http.StatusCreated, release)
}

func (hub *releases) edit(w http.ResponseWriter, r *http.Request) {
	release := hub.byID(r.PathValue("id"))
	if release == nil || json.NewDecoder(r.Body).Decode(release) != nil {
		http.Error(w, `{"message":"Validation Failed"}`, http.StatusUnprocessableEntity)
		return
	}
	hub.answer(w, http.StatusOK, release)
}

func (hub *releases) remove(w http.ResponseWriter, r *http.Request) {
	for _, release := range hub.list {
		for i, asset := range release.Assets {
			if strconv.Itoa(asset.ID) == r.PathValue("id") {
				release.Assets = append(release.Assets[:i], release.Assets[i+1:]...)
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
	}
	http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
}

func (hub *releases) upload(w http.ResponseWriter, r *http.Request) {
	release, name := hub.byID(r.PathValue("id")), r.FormValue("name")
	data, _ := io.ReadAll(r.Body)
	for _, asset := range release.Assets {
		if asset.Name == name {
			http.Error(w, `{"message":"Validation Failed"}`, http.StatusUnprocessableEntity)
			return
		}
	}
	hub.uploads++
	asset := &ghAsset{ID: 1000 + hub.uploads, Name: name, State: "starter", Size: len(data)}
	release.Assets = append(release.Assets, asset)
	if hub.uploads == hub.breakOff {
		panic(http.ErrAbortHandler)
	}
	asset.State, asset.Digest = "uploaded", fmt.Sprintf("sha256:%x", sha256.Sum256(data))
	hub.answer(w, http.StatusCreated, asset)
}

func (hub *releases) attestations(w http.ResponseWriter, r *http.Request) {
	list := []any{}
	if r.PathValue("digest") == hub.attested {
		list = append(list, map[string]any{"repository_id": 1})
	}
	hub.answer(w, http.StatusOK, map[string]any{"attestations": list})
}

func (hub *releases) byID(id string) *ghRelease {
	for _, release := range hub.list {
		if strconv.Itoa(release.ID) == id {
			return release
		}
	}
	return nil
}

func (hub *releases) state() string {
	hub.mu.Lock()
	defer hub.mu.Unlock()
	text, err := json.Marshal(hub.list)
	if err != nil {
		hub.t.Fatal(err)
	}
	return fmt.Sprintf("%d uploads, %s", hub.uploads, text)
}

// check looks at the one release: published, with the CHANGELOG's words, the pin, and exactly the files of dist/assets.
func (hub *releases) check(t *testing.T, r *releasing, commit string) {
	hub.mu.Lock()
	defer hub.mu.Unlock()
	if len(hub.list) != 1 {
		t.Fatalf("%d releases, want 1", len(hub.list))
	}
	release := hub.list[0]
	if release.Draft || release.TagName != "v1.1.0" || release.MakeLatest != "true" {
		t.Errorf("draft %t, tag %s, latest %q; want a published v1.1.0 that is the latest", release.Draft, release.TagName, release.MakeLatest)
	}
	for _, want := range []string{"### Added\n\n- What came with 1.1.0.\n- More.\n\nThe end.\n", "uses: oci-promote/oci-promote@" + commit + " # v1.1.0"} {
		if !strings.Contains(release.Body, want) {
			t.Errorf("the notes lack %q:\n%s", want, release.Body)
		}
	}
	if strings.Contains(release.Body, "## [") {
		t.Errorf("the notes have another section of the CHANGELOG:\n%s", release.Body)
	}
	files, err := filepath.Glob(filepath.Join(r.dist, "assets", "*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(release.Assets) {
		t.Errorf("%d assets, want the %d files %q", len(release.Assets), len(files), files)
	}
	for _, asset := range release.Assets {
		data, err := os.ReadFile(filepath.Join(r.dist, "assets", asset.Name))
		if err != nil {
			t.Error(err)
		}
		if want := fmt.Sprintf("sha256:%x", sha256.Sum256(data)); asset.Digest != want || asset.State != "uploaded" {
			t.Errorf("asset %s is %s %s, want uploaded %s", asset.Name, asset.State, asset.Digest, want)
		}
	}
}

// completes breaks the second of three uploads off: nothing is published; the next run completes the same draft.
func (hub *releases) completes(t *testing.T, r *releasing) {
	hub.mu.Lock()
	before := hub.list[0].Assets
	hub.list, hub.breakOff = nil, hub.uploads+2
	hub.mu.Unlock()
	if got := r.run(t, "publish", "v1.1.0"); got.Code == 0 {
		t.Fatalf("publish succeeded although an upload broke off:\n%s", got.Stderr)
	}
	hub.mu.Lock() // what the broken connection was about may still be under way
	drafts := len(hub.list) == 1 && hub.list[0].Draft
	hub.mu.Unlock()
	if !drafts {
		t.Fatalf("after the broken upload: %s, want one draft", hub.state())
	}
	r.must(t, "v1.1.0", "publish")
	state := hub.state()
	hub.mu.Lock()
	defer hub.mu.Unlock()
	if len(hub.list) != 1 || hub.list[0].Draft || len(hub.list[0].Assets) != len(before) {
		t.Errorf("after the second run: %s, want the one release, published, with %d assets", state, len(before))
	}
	for _, asset := range hub.list[0].Assets {
		if asset.State != "uploaded" {
			t.Errorf("asset %s is in state %s", asset.Name, asset.State)
		}
	}
}

// asksForProvenance runs the step attested before there is any, and when the image has some.
func (hub *releases) asksForProvenance(t *testing.T, r *releasing, digest string) {
	for _, test := range []struct{ attested, want string }{
		{"none", "image=false\narchives=false\n"}, {digest, "image=true\narchives=false\n"},
	} {
		hub.mu.Lock()
		hub.attested = test.attested
		hub.mu.Unlock()
		output := filepath.Join(t.TempDir(), "output")
		got := r.run(t, "attested", "v1.1.0", "GITHUB_OUTPUT="+output)
		if text := readText(t, output); got.Code != 0 || text != test.want {
			t.Errorf("with provenance of %s: status %d, outputs %q, want %q", test.attested, got.Code, text, test.want)
		}
	}
}
