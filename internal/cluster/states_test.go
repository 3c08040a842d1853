package cluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

// recordings are states of two real clusters, as kubectl gave them: NAME-integration.json and NAME-live.json.
var recordings = filepath.Join("..", "..", "testdata", "flux", "states")

// The registry and the gate beside the recordings: 0.0.11 is live, and nothing waits.
var (
	recordedAt   = time.Date(2026, 11, 29, 17, 3, 30, 0, time.UTC)
	recordedGate = Gate{Name: "platform", Repository: "acme/fleet", Server: "http://127.0.0.1:18081"}
)

func recordedRegistry(t testing.TB, role Role) Registry {
	t.Helper()
	digests := map[string]digest.Digest{
		"0.0.1":  "sha256:7e782ef719166b07b1c9b3bba756542cc2657dccfadc64ce0d7ce1d49d0f9fd1",
		"0.0.11": "sha256:6d8cbc5a67f65f121b2016cef45aceecccf97e60be565b3af91b3ef7bbc7bf53",
	}
	r := registry(t, role)
	r.Name, r.Tags = "127.0.0.1:15000/acme/fleet", []string{"0.0.1", "0.0.11", "0.0.11-rc.11"}
	r.Candidate, r.Stable = "0.0.12-rc.12", "0.0.11"
	r.Digest = func(tag string) digest.Digest { return digests[tag] }
	r.Ready = func(string) time.Time { return time.Date(2026, 11, 29, 16, 56, 17, 0, time.UTC) }
	return r
}

func recording(t testing.TB, name string, role Role) []byte {
	t.Helper()
	blob, err := os.ReadFile(filepath.Join(recordings, name+"-"+string(role)+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

// What is true of each recorded state, by its name and its content. Each breaks one thing, on one of the two clusters.
func TestRecordedStates(t *testing.T) {
	tests := []struct{ name, integration, live string }{
		{"healthy", "", ""},
		{"alert-severity-error", "alert-filters-all", ""},
		{"alert-wrong-kind", "alert-wrong-source", ""},
		{"alert-wrong-name", "alert-wrong-source", ""},
		{"dependency-failing", "kustomization-failing", ""},
		{"dependency-missing", "kustomization-failing", ""},
		{"live-pinned-tag", "", "pinned"},
		{"live-semver-with-0", "", "wrong-semver"},
		{"not-insecure", "wrong-url", ""}, // another host too, and that comes first
		{"pinned-tag", "pinned", ""},
		{"provider-missing", "provider-missing", ""},
		{"provider-secret-missing", "", ""},   // no object shows it, but the names of secrets do
		{"provider-secret-wrong-key", "", ""}, // nor do these
		{"provider-wrong-address", "provider-wrong-address", ""},
		{"semver-nonsense", "wrong-semver", ""},
		{"semver-without-0", "wrong-semver", ""},
		{"suspended-alert", "suspended", ""},
		{"suspended-kustomization", "suspended", ""},
		{"suspended-live-kustomization", "", "suspended"},
		{"suspended-source", "suspended", ""},
		{"url-trailing-slash", "wrong-url?", ""},
		{"url-with-tag", "wrong-url", ""},
		{"wrong-path", "kustomization-failing", ""},
		{"wrong-url-missing-repo", "wrong-url", ""},
		{"wrong-url-port", "wrong-url", ""},
	}
	told := map[string]bool{}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for role, want := range map[Role]string{Integration: test.integration, Live: test.live} {
				s := state(t, role, recording(t, test.name, role))
				wantFaults(t, s.Faults(role, recordedRegistry(t, role), recordedGate, recordedAt, maxAge), want)
			}
		})
		told[test.name] = true
	}
	files, err := filepath.Glob(filepath.Join(recordings, "*-integration.json"))
	if err != nil || len(files) != len(tests) {
		t.Errorf("%d recordings, %v; want %d", len(files), err, len(tests))
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), "-integration.json"); !told[name] {
			t.Errorf("nothing is said of the state %s", name)
		}
	}
}

// The words of the states that were told with a hint that does not mend them.
func TestHintsOfRecordedStates(t *testing.T) {
	tests := []struct{ name, word string }{
		{"wrong-url-missing-repo", `set spec.url of OCIRepository flux-system/platform to "oci://127.0.0.1:15000/acme/fleet"; or, where the cluster is right`},
		{"wrong-url-port", `set spec.url of OCIRepository flux-system/platform to "oci://127.0.0.1:15000/acme/fleet"; or, where the cluster is right`},
		{"url-trailing-slash", "one too many"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := state(t, Integration, recording(t, test.name, Integration))
			got := s.Faults(Integration, recordedRegistry(t, Integration), recordedGate, recordedAt, maxAge)
			if len(got) != 1 || !strings.Contains(got[0].Message+" // "+got[0].Hint, test.word) {
				t.Errorf("got %+v, want one fault with %q", got, test.word)
			}
		})
	}
}

// The state is recorded but for the annotation, whose form is that of fluxcd/pkg runtime 0.110.3 (events/recorder.go): it goes into each
// event of the object, without its group.
func TestCommitAnnotation(t *testing.T) {
	annotated := change{"Kustomization platform", "metadata.annotations", map[string]any{"event.toolkit.fluxcd.io/commit": "sha1:70697a6bf3487ae0c8bb443dc328309abb0cf31a"}}
	other := change{"Kustomization platform", "metadata.annotations", map[string]any{"event.toolkit.fluxcd.io/cluster": "integration"}}
	stables := change{"OCIRepository platform", "spec.ref.semver", ">= 0.0.0"}
	for _, test := range []struct {
		role    Role
		of      Role // whose recording
		changes []change
		want    string
	}{
		{Integration, Integration, []change{annotated}, "wrong-commit?"},
		{Integration, Integration, []change{other}, ""},
		{Live, Live, []change{annotated}, ""}, // it reports nothing
		{Live, Integration, []change{annotated, stables}, "wrong-commit?"},
	} {
		s := state(t, test.role, altered(t, recording(t, "healthy", test.of), test.changes...))
		got := s.Faults(test.role, recordedRegistry(t, test.role), recordedGate, recordedAt, maxAge)
		wantFaults(t, got, test.want)
		if len(got) == 1 && (!strings.Contains(got[0].Message, `goes to commit "sha1:70697a6b`) || !strings.Contains(got[0].Hint, "platform -n flux-system event.toolkit.fluxcd.io/commit-`")) {
			t.Errorf("got %+v", got)
		}
	}
}

// Where a cluster has no Secret, kubectl prints nothing, a header or an empty list (docs/facts.md 35), and the one that is missing is
// named. The file is of secrets by its name.
func TestNoSecretsAtAll(t *testing.T) {
	for _, text := range []string{"", "\n", "NS    NAME\n", `{"apiVersion":"v1","kind":"SecretList","items":[]}`} {
		s := state(t, Integration, recording(t, "provider-secret-missing", Integration))
		if err := s.Add("state/integration-secrets.txt", strings.NewReader(text)); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		wantFaults(t, s.Faults(Integration, recordedRegistry(t, Integration), recordedGate, recordedAt, maxAge), "provider-secret-missing",
			"Secret flux-system/github-token, which is not there", "none at all", "may not list")
	}
	s := state(t, Integration, recording(t, "healthy", Integration), []byte("flux-system github-token\n"))
	wantFaults(t, s.Faults(Integration, recordedRegistry(t, Integration), recordedGate, recordedAt, maxAge), "")
	for _, name := range []string{"integration.json", "secretary.json", "secrets/integration.json"} {
		if err := new(State).Add(name, strings.NewReader("")); err == nil {
			t.Errorf("%s is empty, and was taken for a list of secrets", name)
		}
	}
}
