package programtest

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

func TestMain(m *testing.M) { Main(m) }

// TestJournal: the journal has what was written, in order, and the immutable registry refuses the move.
func TestJournal(t *testing.T) {
	s := registrytest.Start(t, registrytest.Options{})
	j := Keep(s, &Journal{Immutable: true}, nil)
	a, b := BuildFor(t, s, CommitA, 0), BuildFor(t, s, CommitB, 1)
	var got []string
	var manifests [][]byte
	for _, e := range j.All() {
		got = append(got, e.Tag+"@"+e.Digest)
		manifests = append(manifests, e.Body)
	}
	want := []string{
		"0.0.1-rc.1@" + a.Digest, "integration-aaaaaaa@" + a.Digest, "sha-aaaaaaa@" + a.Digest,
		"0.0.1-rc.2@" + b.Digest, "integration-bbbbbbb@" + b.Digest, "sha-bbbbbbb@" + b.Digest,
	}
	slices.Sort(got[1:3]) // they are written at once
	slices.Sort(got[4:])
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("the journal has %q, want %q", got, want)
	}
	for i, want := range []int{http.StatusCreated, http.StatusCreated, http.StatusBadRequest} {
		body := manifests[[]int{0, 0, 3}[i]]
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+s.Host+"/v2/"+Fleet+"/manifests/0.0.1", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("write %d of 0.0.1: status %d, want %d", i, response.StatusCode, want)
		}
	}
	if moved := Moves(append(j.All(), TagWrite{Repo: Fleet, Tag: "1.0.0", Digest: "b", Before: "a"})); len(moved) != 1 {
		t.Errorf("moves: %q", moved)
	}
}
