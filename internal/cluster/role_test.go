package cluster

import (
	"slices"
	"strings"
	"testing"
)

func TestRoleOf(t *testing.T) {
	tests := map[string]Role{
		"integration.json": Integration, "live.json": Live, "state/integration-secrets.txt": Integration, `C:\state\LIVE.json`: Live,
		"flux_live_objects.json": Live, "integration/objects.json": "", "alive.json": "", "integrations.json": "", "live-integration.json": "", "": "", "olive live": Live,
	}
	for file, want := range tests {
		if got, ok := RoleOf(file); got != want || ok != (want != "") {
			t.Errorf("%q is %q, %v; want %q", file, got, ok, want)
		}
	}
}

func TestRoles(t *testing.T) {
	noAlert := change{"Alert github-status", "", absent{}}
	oldest := change{"OCIRepository platform", "spec.ref", map[string]any{"tag": "0.0.1-rc.1"}}
	asLive := change{"Provider github-status", "spec.commitStatusExpr", "'kustomization/platform-live/' + event.metadata.revision"}
	tests := []struct {
		name  string
		blobs [][]byte
		want  []Role
		why   string
	}{
		{"it reports to git", [][]byte{recorded(t, "integration.json", change{"OCIRepository platform", "spec.ref.semver", ">= 0.0.0"})}, []Role{Integration}, "Provider flux-system/github-status reports to git"},
		{"it takes candidates", [][]byte{recorded(t, "integration.json", noAlert)}, []Role{Integration}, "takes candidates"},
		{"of a range that is not there yet", [][]byte{recorded(t, "integration.json", noAlert, change{"OCIRepository platform", "spec.ref.semver", ">= 7.0.0-0"})}, []Role{Integration}, "takes candidates"},
		{"it is pinned to a candidate", [][]byte{recorded(t, "integration.json", noAlert, oldest)}, []Role{Integration}, "takes candidates"},
		{"it reports to git as live", [][]byte{recorded(t, "integration.json", change{"OCIRepository platform", "spec.ref.semver", ">= 0.0.0"}, asLive)}, []Role{Live}, "Provider flux-system/github-status reports to git as live"},
		{"it reports as live, and takes candidates", [][]byte{recorded(t, "integration.json", asLive)}, []Role{Integration}, "takes candidates"},
		{"neither", [][]byte{recorded(t, "live.json")}, []Role{Live}, "no source of it takes candidates"},
		{"a hyphen range", [][]byte{recorded(t, "live.json", change{"OCIRepository platform", "spec.ref.semver", "0.0.1 - 2.0.0"})}, []Role{Live}, "no source"},
		{"a filter drops candidates", [][]byte{recorded(t, "live.json", change{"OCIRepository platform", "spec.ref.semverFilter", "^[0-9.]+$"})}, []Role{Live}, "no source"},
		{"both", [][]byte{both(t)}, []Role{Integration, Live}, "takes candidates and OCIRepository flux-system/stable does not"},
		{"names of secrets only", [][]byte{[]byte("flux-system token\n")}, nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, why := state(t, "", test.blobs...).Roles(registry(t, Integration))
			if !slices.Equal(got, test.want) || !strings.Contains(why, test.why) || (why == "") != (test.want == nil) {
				t.Errorf("got %q, %q; want %q, %q", got, why, test.want, test.why)
			}
			if roles, why := state(t, Live, test.blobs...).Roles(registry(t, Integration)); !slices.Equal(roles, []Role{Live}) || why != "" {
				t.Errorf("as live it is %q, %q", roles, why)
			}
		})
	}
}

// both is one cluster with both stages, as for a try: the stable one is applied by "stable".
func both(t *testing.T, changes ...change) []byte {
	t.Helper()
	live := recorded(t, "live.json", change{"Kustomization infra", "", absent{}}, change{"Alert on-call", "", absent{}}, change{"Provider slack", "", absent{}},
		change{"HelmRelease redis", "", absent{}}, change{"Kustomization flux-system", "", absent{}},
		change{"OCIRepository platform", "metadata.name", "stable"},
		change{"Kustomization platform", "spec", map[string]any{"sourceRef": map[string]any{"kind": "OCIRepository", "name": "stable"}}},
		change{"Kustomization platform", "metadata.name", "stable"})
	return append(recorded(t, "integration.json", changes...), live...)
}

func TestBothStagesOnOneCluster(t *testing.T) {
	s := state(t, "", both(t))
	for _, role := range []Role{Integration, Live} {
		wantFaults(t, s.Faults(role, registry(t, role), gate, now, maxAge), "")
		if got, ok := s.Applied(role, registry(t, role), gate); !ok || (got.Digest == digestB) != (role == Integration) {
			t.Errorf("%s has applied %+v, %v", role, got, ok)
		}
	}
	s = state(t, "", both(t, change{"OCIRepository platform", "spec.suspend", true}))
	wantFaults(t, s.Faults(Integration, registry(t, Integration), gate, now, maxAge), "suspended", `"objects.json" was taken for both stages`)
	wantFaults(t, s.Faults(Live, registry(t, Live), gate, now, maxAge), "")
	// Labelled as integration, the source of the other stage is none of its business.
	wantFaults(t, state(t, Integration, both(t)).Faults(Integration, registry(t, Integration), Gate{}, now, maxAge), "")
}

// A fault may be one of the guess; then the hint says how the role was guessed.
func TestHintOfAGuess(t *testing.T) {
	blob := recorded(t, "integration.json", change{"OCIRepository platform", "spec.ref.semver", ">= 0.0.0"})
	const said = `"objects.json" was taken for stage integration, since Provider flux-system/github-status reports to git; integration=FILE or live=FILE says which it is`
	got := state(t, "", blob).Faults(Integration, registry(t, Integration), gate, now, maxAge)
	wantFaults(t, got, "wrong-semver", said)
	for _, f := range state(t, Integration, blob).Faults(Integration, registry(t, Integration), gate, now, maxAge) {
		if strings.Contains(f.Hint, "taken for") {
			t.Errorf("%q is a guess, and the role was given", f.Hint)
		}
	}
}

// A fault of live's source keeps it from having an artifact, one of its Kustomization from running it.
func TestStagesOfLive(t *testing.T) {
	for object, want := range map[string]string{"OCIRepository platform": "selected by live", "Kustomization platform": "running on live"} {
		s := state(t, Live, recorded(t, "live.json", change{object, "spec.suspend", true}))
		got := s.Faults(Live, registry(t, Live), gate, now, maxAge)
		if len(got) != 1 || got[0].Code != "suspended" || got[0].Stage != want {
			t.Errorf("%s: %+v, want the stage %q", object, got, want)
		}
	}
}

// Applies is whether anything can tell what runs: a source alone cannot.
func TestApplies(t *testing.T) {
	for name, test := range map[string]struct {
		change change
		role   Role
		want   bool
	}{
		"as recorded":                  {change{"HelmRelease redis", "", absent{}}, Live, true},
		"nothing applies its source":   {change{"Kustomization platform", "spec.sourceRef.name", "other"}, Live, false},
		"the Kustomization is missing": {change{"Kustomization platform", "", absent{}}, Live, false},
		"another role":                 {change{"HelmRelease redis", "", absent{}}, Integration, false},
	} {
		if got := state(t, Live, recorded(t, "live.json", change{"Kustomization infra", "", absent{}}, test.change)).Applies(test.role, registry(t, test.role), gate); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
