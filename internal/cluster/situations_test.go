package cluster

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/internal/version"
)

// What is true of a delay depends on how long it lasts, and on what there is to take.
func TestDelays(t *testing.T) {
	older := change{"OCIRepository platform", "status.artifact.revision", "0.0.1-rc.1@" + digestA.String()}
	infra := change{"Kustomization infra", "status.lastAppliedRevision", older.value}
	platform := change{"Kustomization platform", "status.lastAppliedRevision", older.value}
	s := state(t, Integration, recorded(t, "integration.json", older, infra, platform))
	r := registry(t, Integration)
	r.Tags = append(r.Tags, "0.0.2-rc.2")
	wantFaults(t, s.Faults(Integration, r, gate, now, maxAge), "(behind)", "on its way")
	r.Ready = nil
	wantFaults(t, s.Faults(Integration, r, gate, now, maxAge), "behind", "0.0.2-rc.2")

	s = state(t, Integration, recorded(t, "integration.json", infra, platform))
	r = registry(t, Integration)
	wantFaults(t, s.Faults(Integration, r, gate, now.Add(-time.Hour), maxAge), "(behind)", "on its way")
}

func TestNothingToSelectYet(t *testing.T) {
	noMatch := change{"OCIRepository platform", "status.conditions", notReady("ReadOperationFailed", "failed to determine the artifact tag for 'oci://ghcr.io/acme/fleet': no match found for semver: >= 0.0.0")}
	noArtifact := change{"Kustomization platform", "status.conditions", notReady("ArtifactFailed", "Source artifact not found, retrying in 30s")}
	infra := change{"Kustomization infra", "status.conditions", noArtifact.value}
	s := state(t, Live, recorded(t, "live.json", noMatch, noArtifact, infra, change{"OCIRepository platform", "status.artifact", absent{}}))
	r := registry(t, Live)
	r.Tags, r.Stable = []string{"0.0.1-rc.1"}, ""
	wantFaults(t, s.Faults(Live, r, gate, now, maxAge), "(source-not-ready)", "nothing for it yet")
	wantFaults(t, s.Faults(Live, registry(t, Live), gate, now, maxAge), "source-not-ready", `the registry has "0.0.1" for it`)
}

// The first error of a source explains the rest.
func TestFirstErrorOfASource(t *testing.T) {
	all := []change{
		{"OCIRepository platform", "status.artifact.revision", "0.0.1@" + digestB.String()},
		{"OCIRepository platform", "status.conditions", notReady("ReadOperationFailed", "x")},
		{"OCIRepository platform", "spec.ref.semver", ">= 0.0.0"},
		{"OCIRepository platform", "spec.ref.digest", digestA.String()},
		{"OCIRepository platform", "spec.url", "oci://GHCR.io/acme/fleet:0.0.2"},
		{"OCIRepository platform", "spec.suspend", true},
	}
	for i, want := range []string{"behind", "source-not-ready", "wrong-semver", "pinned", "wrong-url", "suspended"} {
		s := state(t, Integration, recorded(t, "integration.json", all[:i+1]...))
		got := s.Faults(Integration, registry(t, Integration), gate, now.Add(time.Minute), maxAge)
		if len(got) == 0 || got[0].Code != want {
			t.Errorf("got %+v, want %s first", got, want)
		}
		var errors []string
		for _, f := range got {
			if f.Severity == failed && !strings.HasPrefix(f.Message, "Kustomization ") {
				errors = append(errors, f.Code)
			}
		}
		if len(errors) != 1 {
			t.Errorf("got %q, want one error of the source", errors)
		}
	}
}

func TestToldAnotherConstraint(t *testing.T) {
	r := registry(t, Integration)
	r.Tags = append(r.Tags, "0.1.0-beta.1")
	told, err := version.ParseConstraint("~0.0.1-0")
	if err != nil {
		t.Fatal(err)
	}
	r.Constraint = told
	r.Ready = func(string) time.Time { return now }
	s := state(t, Integration, recorded(t, "integration.json"))
	wantFaults(t, s.Faults(Integration, r, gate, now, maxAge), "wrong-semver? (behind)", "integration-semver", `"~0.0.1-0"`, `selects "0.1.0-beta.1" by`)
	r.Constraint = version.Constraint{}
	wantFaults(t, s.Faults(Integration, r, gate, now, maxAge), "(behind)")
}

func TestDependencies(t *testing.T) {
	waits := func(name, on string) []change {
		return []change{
			{"Kustomization " + name, "status.conditions", notReady("DependencyNotReady", "dependency 'flux-system/"+on+"' is not ready")},
			{"Kustomization " + name, "spec.dependsOn", []any{map[string]any{"name": on}}},
		}
	}
	fails := change{"Kustomization tenants", "status.conditions", notReady("BuildFailed", "no such overlay")}
	tests := []struct {
		name    string
		changes [][]change
		want    string
		word    string
	}{
		{"two steps", [][]change{waits("platform", "infra"), waits("infra", "tenants"), {fails}}, "kustomization-failing", "; Kustomization flux-system/tenants: BuildFailed: no such overlay"},
		{"suspended", [][]change{waits("platform", "tenants"), {fails, {"Kustomization tenants", "spec.suspend", true}}}, "kustomization-failing", "tenants is suspended"},
		{"not there", [][]change{waits("platform", "gone")}, "kustomization-failing", "Kustomization flux-system/gone is not there"},
		{"in progress", [][]change{waits("platform", "tenants"), {{"Kustomization tenants", "status.conditions", absent{}}}}, "kustomization-failing", "tenants has not come to an end"},
		{"a cycle", [][]change{waits("platform", "infra"), waits("infra", "platform")}, "kustomization-failing", "Kustomization flux-system/platform depends on itself, by way of Kustomization flux-system/infra"},
		{"of itself", [][]change{waits("platform", "platform")}, "kustomization-failing", "depends on itself"},
		{"ready after all", [][]change{waits("platform", "infra")}, "kustomization-failing", "DependencyNotReady"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var changes []change
			for _, c := range test.changes {
				changes = append(changes, c...)
			}
			s := state(t, Integration, recorded(t, "integration.json", changes...))
			wantFaults(t, s.Faults(Integration, registry(t, Integration), gate, now, maxAge), test.want, test.word)
		})
	}
	t.Run("on live, where both count", func(t *testing.T) {
		s := state(t, Live, recorded(t, "live.json", append(waits("platform", "infra"), change{"Kustomization infra", "status.conditions", notReady("BuildFailed", "no such overlay")})...))
		wantFaults(t, s.Faults(Live, registry(t, Live), gate, now, maxAge), "kustomization-failing", "no such overlay")
	})
}

func TestHealthChecks(t *testing.T) {
	failing := func(message string) change {
		return change{"Kustomization platform", "status.conditions", notReady("HealthCheckFailed", message)}
	}
	redis := change{"HelmRelease redis", "status.conditions", notReady("InstallFailed", "Helm install failed:\n  context deadline exceeded")}
	tenants := change{"Kustomization tenants", "status.conditions", notReady("BuildFailed", "no such overlay")}
	named := failing("health check failed after 5m0.01s: timeout waiting for: [Deployment/apps/web status: 'InProgress', HelmRelease/apps/redis status: 'InProgress']")
	tests := []struct {
		name    string
		changes []change
		words   []string
	}{
		{"named", []change{named, redis, {"Kustomization platform", "status.inventory", absent{}}}, []string{"Deployment/apps/web", "; HelmRelease apps/redis: InstallFailed: Helm install failed: context deadline exceeded"}},
		{"in the inventory", []change{failing("health check failed after 5m: timeout waiting for: []"), redis, tenants}, []string{"HelmRelease apps/redis: InstallFailed", "Kustomization flux-system/tenants: BuildFailed"}},
		{"healthy meanwhile", []change{named}, []string{"Deployment/apps/web"}},
		{"cut short", []change{failing("health check failed after 5m: [HelmRelease/"), redis}, []string{"InstallFailed"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := state(t, Integration, recorded(t, "integration.json", test.changes...))
			wantFaults(t, s.Faults(Integration, registry(t, Integration), gate, now, maxAge), "kustomization-failing", test.words...)
		})
	}
}

// Each attempt sets the condition anew; the history remembers.
func TestSinceWhenItFails(t *testing.T) {
	first := now.Add(-48 * time.Hour)
	history := change{"Kustomization platform", "status.history", []any{map[string]any{
		"firstReconciled": first.Format(time.RFC3339), "lastReconciledStatus": "HealthCheckFailed", "metadata": map[string]any{"revision": "0.0.2-rc.1@" + digestB.String()},
	}}}
	for name, c := range map[string]any{
		"failing":  oneCondition("Ready", "False", "HealthCheckFailed", "x", now.Add(-time.Minute)),
		"retrying": oneCondition("Ready", "Unknown", "Progressing", "Reconciliation in progress", now.Add(-time.Minute)),
	} {
		s := state(t, Integration, recorded(t, "integration.json", history, change{"Kustomization platform", "status.conditions", c}))
		got := s.Faults(Integration, registry(t, Integration), gate, now, maxAge)
		wantFaults(t, got, "kustomization-failing", "HealthCheckFailed")
		if len(got) == 1 && !got[0].Since.Equal(first) {
			t.Errorf("%s since %s, want %s", name, got[0].Since, first)
		}
	}
	other := change{"Kustomization platform", "status.lastAttemptedRevision", "0.0.2-rc.2@" + digestA.String()}
	busy := change{"Kustomization platform", "status.conditions", oneCondition("Ready", "Unknown", "Progressing", "Reconciliation in progress", now.Add(-time.Minute))}
	s := state(t, Integration, recorded(t, "integration.json", history, busy, other))
	wantFaults(t, s.Faults(Integration, registry(t, Integration), gate, now, maxAge), "")
}

// One way to GitHub that works is enough.
func TestDelivery(t *testing.T) {
	second := []byte(`{"apiVersion":"v1","kind":"List","items":[
		{"apiVersion":"notification.toolkit.fluxcd.io/v1beta3","kind":"Alert","metadata":{"name":"dispatch","namespace":"apps","uid":"1"},
		 "spec":{"providerRef":{"name":"dispatch"},"eventSources":[{"kind":"Kustomization","name":"*","namespace":"flux-system","matchLabels":{"app.kubernetes.io/part-of":"fleet"}}]}},
		{"apiVersion":"notification.toolkit.fluxcd.io/v1beta3","kind":"Provider","metadata":{"name":"dispatch","namespace":"apps","uid":"2"},
		 "spec":{"type":"githubdispatch","address":"https://github.com/acme/fleet","secretRef":{"name":"token"}}}]}`)
	healthy := recorded(t, "integration.json")
	broken := recorded(t, "integration.json", change{"Alert github-status", "spec.suspend", true})
	waitless := recorded(t, "integration.json", change{"Alert github-status", "spec.suspend", true}, change{"Kustomization platform", "spec.wait", false})
	unlabelled := recorded(t, "integration.json", change{"Alert github-status", "spec.suspend", true}, change{"Kustomization platform", "metadata.labels", absent{}})
	generic := recorded(t, "integration.json", change{"Alert github-status", "", absent{}}, change{"Provider slack", "spec.type", "generic"})
	tests := []struct {
		name  string
		blobs [][]byte
		want  string
		words []string
	}{
		{"both", [][]byte{healthy, second}, "", nil},
		{"the second", [][]byte{broken, second}, "provider-drops-event?", []string{"changes nothing"}},
		{"the second without a health check", [][]byte{waitless, second}, "provider-drops-event suspended", []string{"spec.wait: true"}},
		{"the second by a label that is not there", [][]byte{unlabelled, second}, "suspended", nil},
		{"the second by a wrong label alone", [][]byte{recorded(t, "integration.json", change{"Alert github-status", "", absent{}}, change{"Kustomization platform", "metadata.labels", absent{}}), second}, "alert-wrong-source", []string{`with label "app.kubernetes.io/part-of" = "fleet"`}},
		{"a webhook", [][]byte{generic}, "alert-missing?", []string{"cannot be told"}},
		{"a webhook beside it", [][]byte{recorded(t, "integration.json", change{"Provider slack", "spec.type", "generic"})}, "", nil},
		{"the secret is there", [][]byte{healthy, []byte("NS NAME\nflux-system github-token\n")}, "", nil},
		{"the secret is elsewhere", [][]byte{healthy, []byte("apps github-token\n")}, "provider-secret-missing", []string{"Secret flux-system/github-token, which is not there"}},
		{"there are no secrets", [][]byte{healthy, []byte("NAMESPACE NAME\n")}, "provider-secret-missing", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := state(t, Integration, test.blobs...)
			wantFaults(t, s.Faults(Integration, registry(t, Integration), gate, now, maxAge), test.want, test.words...)
		})
	}
}

// Crossplane has Providers too, and kubectl may take them for those that are meant.
func TestProvidersOfAnotherAPI(t *testing.T) {
	s := state(t, Integration, recorded(t, "integration.json",
		change{"Provider github-status", "apiVersion", "pkg.crossplane.io/v1"}, change{"Provider slack", "apiVersion", "pkg.crossplane.io/v1"}))
	wantFaults(t, s.Faults(Integration, registry(t, Integration), gate, now, maxAge), "provider-missing", "grep toolkit.fluxcd.io")
}

// Alerts and Providers are v1 from Flux 2.10 on (docs/facts.md 26), and mean the same.
func TestAlertsAndProvidersOfEitherVersion(t *testing.T) {
	const group = "notification.toolkit.fluxcd.io/"
	for fault, changes := range map[string][]change{
		"": nil, "alert-wrong-source": {{"Alert github-status", "spec.eventSources", []any{}}}, "provider-drops-event?": {{"Provider github-status", "spec.type", "githubdispatch"}},
	} {
		text := recorded(t, "integration.json", changes...)
		stable := bytes.ReplaceAll(text, []byte(group+"v1beta3"), []byte(group+"v1"))
		if bytes.Equal(stable, text) {
			t.Fatal("no object of v1beta3 is recorded")
		}
		for _, blob := range [][]byte{text, stable} {
			wantFaults(t, state(t, Integration, blob).Faults(Integration, registry(t, Integration), gate, now, maxAge), fault)
		}
	}
}

// Without a gate's name what applies the repository counts.
func TestNoNameOfAGate(t *testing.T) {
	s := state(t, Integration, recorded(t, "integration.json", change{"Kustomization infra", "", absent{}}, change{"Kustomization platform", "", absent{}}))
	wantFaults(t, s.Faults(Integration, registry(t, Integration), Gate{}, now, maxAge), "kustomization-missing", "no Kustomization applies OCIRepository flux-system/platform")
	s = state(t, Integration, recorded(t, "integration.json", change{"Alert github-status", "", absent{}}))
	wantFaults(t, s.Faults(Integration, registry(t, Integration), Gate{}, now, maxAge), "alert-missing")
	s = state(t, Integration, recorded(t, "integration.json", change{"Provider github-status", "spec.address", "https://github.com/acme/other"}))
	wantFaults(t, s.Faults(Integration, registry(t, Integration), Gate{Name: "platform"}, now, maxAge), "")
}

// The gate's name may be there twice; what applies the repository is meant.
func TestGateOfTwoNamespaces(t *testing.T) {
	other := recorded(t, "live.json", change{"Kustomization platform", "metadata.namespace", "apps"},
		change{"Kustomization platform", "spec.sourceRef", map[string]any{"kind": "GitRepository", "name": "x"}})
	only := strings.NewReplacer("be63676c", "00000000", `"name":"infra"`, `"name":"infra2"`, `"kind":"OCIRepository","metadata"`, `"kind":"Other","metadata"`, `"kind":"HelmRelease","metadata"`, `"kind":"Other","metadata"`,
		`"kind":"Alert","metadata"`, `"kind":"Other","metadata"`, `"kind":"Provider","metadata"`, `"kind":"Other","metadata"`, `"name":"flux-system","namespace"`, `"name":"flux-system2","namespace"`).Replace(string(other))
	s := state(t, Integration, recorded(t, "integration.json"), []byte(only))
	got := s.Faults(Integration, registry(t, Integration), gate, now, maxAge)
	for _, f := range got {
		if f.Severity == failed {
			t.Errorf("got %+v", f)
		}
	}
	got = s.Faults(Integration, registry(t, Integration), Gate{Namespace: "apps", Name: "platform"}, now, maxAge)
	wantFaults(t, got, "wrong-url", "Kustomization apps/platform applies GitRepository apps/x")
}
