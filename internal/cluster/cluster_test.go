package cluster

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/version"
)

// What the registry says beside the clusters of testdata: 0.0.1 is live, and 0.0.2-rc.1 has
// just been found healthy.
const (
	digestA = digest.Digest("sha256:8ef039eeedf3400d490ba006227f7032b6054f3eeb8ace8d8f46ed10b062c0a5")
	digestB = digest.Digest("sha256:5c1f2b8c7f0a5a2c0c1f0e4d3b2a19087766554433221100ffeeddccbbaa9988")
	maxAge  = 2 * time.Hour
)

var (
	now  = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	gate = Gate{Name: "platform", Repository: "acme/fleet", Server: "https://github.com"}
)

func registry(t testing.TB, role Role) Registry {
	t.Helper()
	constraint, err := version.ParseConstraint(map[Role]string{Integration: ">= 0.0.0-0", Live: ">= 0.0.0"}[role])
	if err != nil {
		t.Fatal(err)
	}
	digests := map[string]digest.Digest{"0.0.1-rc.1": digestA, "0.0.1": digestA, "0.0.2-rc.1": digestB}
	ready := map[string]time.Time{
		"0.0.1": now.Add(-72 * time.Hour), "0.0.1-rc.1": now.Add(-80 * time.Hour), "0.0.2-rc.1": now.Add(-2*time.Hour - time.Minute),
		"0.0.2-rc.2": now.Add(-time.Minute), "0.0.2": now.Add(-time.Minute),
	}
	return Registry{
		Name: "ghcr.io/acme/fleet", Tags: []string{"0.0.1-rc.1", "sha-5b9d4b6", "0.0.1", "0.0.2-rc.1", "latest"}, Constraint: constraint,
		Candidate: "0.0.2-rc.1", Stable: "0.0.1",
		Digest: func(tag string) digest.Digest { return digests[tag] },
		Ready:  func(tag string) time.Time { return ready[tag] },
	}
}

// absent is the value of a field that is left out.
type absent struct{}

// change gives a field of an object another value: "Alert github-status", "spec.suspend". Path
// may be new in its last part. Without a path the whole object has another value.
type change struct {
	object, path string
	value        any
}

// recorded is a cluster's objects, as kubectl prints them, with changes.
func recorded(t testing.TB, name string, changes ...change) []byte {
	t.Helper()
	blob, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return altered(t, blob, changes...)
}

func altered(t testing.TB, blob []byte, changes ...change) []byte {
	t.Helper()
	var list map[string]any
	if err := json.Unmarshal(blob, &list); err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		list["items"] = changed(t, list["items"].([]any), c)
	}
	blob, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

func changed(t testing.TB, items []any, c change) []any {
	t.Helper()
	for i, item := range items {
		object := item.(map[string]any)
		if object["kind"].(string)+" "+object["metadata"].(map[string]any)["name"].(string) != c.object {
			continue
		}
		if c.path == "" && c.value == (absent{}) {
			return append(items[:i], items[i+1:]...)
		}
		fields := strings.Split(c.path, ".")
		for _, field := range fields[:len(fields)-1] {
			next, ok := object[field].(map[string]any)
			if !ok {
				t.Fatalf("%s has no %s", c.object, c.path)
			}
			object = next
		}
		last := fields[len(fields)-1]
		object[last] = c.value
		if c.value == (absent{}) {
			delete(object, last)
		}
		return items
	}
	t.Fatalf("there is no %s", c.object)
	return nil
}

func oneCondition(kind, status, reason, message string, at time.Time) any {
	return []any{map[string]any{"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": at.Format(time.RFC3339)}}
}

func notReady(reason, message string) any {
	return oneCondition("Ready", "False", reason, message, now.Add(-3*time.Hour))
}

// state is a cluster that has said what the blobs hold.
func state(t testing.TB, role Role, blobs ...[]byte) *State {
	t.Helper()
	s := &State{Role: role}
	for _, blob := range blobs {
		name := "objects.json"
		if !bytes.HasPrefix(blob, []byte("{")) {
			name = "secrets.txt"
		}
		if err := s.Add(name, strings.NewReader(string(blob))); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// wantFaults holds faults to codes: errors and warnings as CODE and CODE?, infos as (CODE).
func wantFaults(t *testing.T, got []Fault, want string, words ...string) {
	t.Helper()
	var codes, all []string
	for _, f := range got {
		code := map[string]string{failed: f.Code, warning: f.Code + "?", info: "(" + f.Code + ")"}[f.Severity]
		codes = append(codes, code)
		all = append(all, f.Message+" // "+f.Hint)
		if f.Message == "" || f.Hint == "" || f.Stage == "" || strings.ContainsAny(f.Message+f.Hint, "\r\n") {
			t.Errorf("%+v is not a fault of one line with a hint and a stage", f)
		}
		if strings.HasSuffix(f.Message, ".") || strings.HasSuffix(f.Hint, ".") {
			t.Errorf("%+v ends with a full stop", f)
		}
	}
	if s := strings.Join(codes, " "); s != want {
		t.Errorf("got %q, want %q:\n%s", s, want, strings.Join(all, "\n"))
	}
	for _, word := range words {
		if !strings.Contains(strings.Join(all, "\n"), word) {
			t.Errorf("%q is not said:\n%s", word, strings.Join(all, "\n"))
		}
	}
}

func TestHealthy(t *testing.T) {
	secrets, err := os.ReadFile(filepath.Join("testdata", "integration-secrets.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range []Role{Integration, Live} {
		blob := recorded(t, string(role)+".json")
		r := registry(t, role)
		for _, s := range []*State{state(t, role, blob), state(t, "", blob), state(t, role, secrets, blob)} {
			for _, g := range []Gate{gate, {}, {Namespace: "flux-system", Name: "platform"}} {
				wantFaults(t, s.Faults(role, r, g, now, maxAge), "")
			}
			if !s.Has(role, r) {
				t.Errorf("it is not %s", role)
			}
		}
	}
}

// What a role's cluster has, and since when.
func TestFetchedAndApplied(t *testing.T) {
	tests := []struct {
		role             Role
		tag              string
		digest           digest.Digest
		fetched, healthy string
	}{
		{Integration, "0.0.2-rc.1", digestB, "2026-11-23T02:00:05Z", "2026-11-23T02:00:19Z"},
		{Live, "0.0.1", digestA, "2026-11-20T02:00:05Z", "2026-11-20T02:00:19Z"},
	}
	for _, test := range tests {
		g := gate
		if test.role == Live {
			g = Gate{}
		}
		s := state(t, test.role, recorded(t, string(test.role)+".json", change{"Kustomization infra", "", absent{}}))
		got, ok := s.Fetched(test.role, registry(t, test.role), g)
		if want := (Revision{test.tag, test.digest, at(t, test.fetched)}); !ok || got != want {
			t.Errorf("%s has fetched %+v, %v; want %+v", test.role, got, ok, want)
		}
		got, ok = s.Applied(test.role, registry(t, test.role), g)
		if want := (Revision{test.tag, test.digest, at(t, test.healthy)}); !ok || got != want {
			t.Errorf("%s has applied %+v, %v; want %+v", test.role, got, ok, want)
		}
	}
}

func at(t *testing.T, s string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func TestNothingFetchedOrApplied(t *testing.T) {
	r := registry(t, Integration)
	unready := change{"Kustomization platform", "status.conditions", notReady("HealthCheckFailed", "x")}
	empty := change{"OCIRepository platform", "status.artifact", absent{}}
	s := state(t, Integration, recorded(t, "integration.json", unready, empty))
	if got, ok := s.Fetched(Integration, r, gate); ok {
		t.Errorf("it has fetched %+v", got)
	}
	if got, ok := s.Applied(Integration, r, gate); ok {
		t.Errorf("it has applied %+v", got)
	}
	other := state(t, Integration, recorded(t, "integration.json", change{"OCIRepository platform", "spec.url", "oci://ghcr.io/acme/other"}))
	if got, ok := other.Applied(Integration, r, gate); ok {
		t.Errorf("it has applied %+v, of another repository", got)
	}
	if _, ok := s.Fetched(Live, r, gate); ok {
		t.Error("integration has fetched something as live")
	}
	if _, ok := s.Applied(Live, r, gate); ok {
		t.Error("integration has applied something as live")
	}
	wantFaults(t, s.Faults(Live, r, gate, now, maxAge), "")
}
