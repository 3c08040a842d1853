package cluster

import (
	"strings"
	"testing"
	"time"
)

// Each change breaks a healthy cluster in one way; what is found is that and nothing else.
func TestFaults(t *testing.T) {
	tests := []struct {
		name   string
		role   Role
		change change
		want   string
		word   string
	}{
		{"another repository", Integration, change{"OCIRepository platform", "spec.url", "oci://ghcr.io/acme/other"}, "wrong-url", `reads "oci://ghcr.io/acme/other"`},
		{"another repository on live", Live, change{"OCIRepository platform", "spec.url", "oci://ghcr.io/acme/other"}, "wrong-url", `no OCIRepository reads "oci://ghcr.io/acme/fleet"`},
		{"another repository on live, by its one source", Live, change{"OCIRepository platform", "spec.url", "oci://ghcr.io/acme/flet"}, "wrong-url", `set spec.url of OCIRepository flux-system/platform to`},
		{"a slash at the end", Integration, change{"OCIRepository platform", "spec.url", "oci://ghcr.io/acme/fleet/"}, "wrong-url?", "bear with it"},
		{"a slash after a tag", Integration, change{"OCIRepository platform", "spec.url", "oci://ghcr.io/acme/fleet:1/"}, "wrong-url", ""},
		{"a slash after capitals", Integration, change{"OCIRepository platform", "spec.url", "oci://ghcr.io/Acme/fleet/"}, "wrong-url", "lower case"},
		{"another repository, or the input", Integration, change{"OCIRepository platform", "spec.url", "oci://ghcr.io/acme/fleet/platform"}, "wrong-url", "where the cluster is right, set the input repository"},
		{"another repository on live, or the input", Live, change{"OCIRepository platform", "spec.url", "oci://ghcr.io/acme/fleet/platform"}, "wrong-url", "where the cluster is right, set the input repository"},
		{"capitals", Integration, change{"OCIRepository platform", "spec.url", "oci://ghcr.io/Acme/fleet"}, "wrong-url", "lower case"},
		{"a tag in the URL", Live, change{"OCIRepository platform", "spec.url", "oci://ghcr.io/acme/fleet:0.0.1"}, "wrong-url", "spec.ref"},
		{"a web address", Integration, change{"OCIRepository platform", "spec.url", "https://ghcr.io/acme/fleet"}, "wrong-url", "oci://"},
		{"a Kustomization of git", Integration, change{"Kustomization platform", "spec.sourceRef", map[string]any{"kind": "GitRepository", "name": "flux-system"}}, "wrong-url", "applies GitRepository flux-system/flux-system"},
		{"a Kustomization of nothing", Integration, change{"Kustomization platform", "spec.sourceRef.name", "plattform"}, "wrong-url", "plattform, which is not there"},
		{"no gate", Integration, change{"Kustomization platform", "", absent{}}, "kustomization-missing", "what applies the repository is Kustomization flux-system/infra"},
		{"pinned to a digest", Integration, change{"OCIRepository platform", "spec.ref.digest", digestA.String()}, "pinned", "spec.ref.digest"},
		{"pinned to a tag", Live, change{"OCIRepository platform", "spec.ref", map[string]any{"tag": "0.0.1"}}, "pinned", `to "0.0.1"`},
		{"no ref", Live, change{"OCIRepository platform", "spec.ref", absent{}}, "wrong-semver", "latest"},
		{"integration without -0", Integration, change{"OCIRepository platform", "spec.ref.semver", ">= 0.0.0"}, "wrong-semver", "without -0"},
		{"integration in another range", Integration, change{"OCIRepository platform", "spec.ref.semver", "~1.0.0-0"}, "wrong-semver", "range"},
		{"integration filters", Integration, change{"OCIRepository platform", "spec.ref.semverFilter", "^[0-9.]+$"}, "wrong-semver", "semverFilter drops it"},
		{"a filter that is none", Integration, change{"OCIRepository platform", "spec.ref.semverFilter", "("}, "wrong-semver", "regular expression"},
		{"no constraint", Live, change{"OCIRepository platform", "spec.ref.semver", "newest"}, "wrong-semver", `"newest"`},
		{"live with -0", Live, change{"OCIRepository platform", "spec.ref.semver", ">= 0.0.0-0"}, "wrong-semver", "0.0.2-rc.1"},
		{"live without the stable", Live, change{"OCIRepository platform", "spec.ref.semver", "> 0.0.1"}, "wrong-semver", "the stable"},
		{"suspended source", Integration, change{"OCIRepository platform", "spec.suspend", true}, "suspended", "flux resume source oci platform -n flux-system"},
		{"suspended gate", Integration, change{"Kustomization platform", "spec.suspend", true}, "suspended", "flux resume kustomization platform -n flux-system"},
		{"suspended on live", Live, change{"Kustomization infra", "spec.suspend", true}, "suspended", "infra"},
		{"suspended beside the gate", Integration, change{"Kustomization infra", "spec.suspend", true}, "suspended?", "not the gate"},
		{"suspended Alert", Integration, change{"Alert github-status", "spec.suspend", true}, "suspended", "flux resume alert github-status"},
		{"suspended Provider", Integration, change{"Provider github-status", "spec.suspend", true}, "suspended", "Provider"},
		{"source fails", Integration, change{"OCIRepository platform", "status.conditions", notReady("OCIArtifactPullFailed", "failed to determine artifact digest:\n GET https://ghcr.io/v2/: DENIED: denied")}, "source-not-ready", "secretRef"},
		{"source finds no match", Integration, change{"OCIRepository platform", "status.conditions", notReady("ReadOperationFailed", "no match found for semver: >= 0.0.0-0")}, "source-not-ready", "every 15 minutes at least"},
		{"source hangs", Live, change{"OCIRepository platform", "status.conditions", oneCondition("Ready", "Unknown", "Progressing", "building artifact", now.Add(-3*time.Hour))}, "source-not-ready", "building artifact"},
		{"source under way", Live, change{"OCIRepository platform", "status.conditions", oneCondition("Ready", "Unknown", "Progressing", "building artifact", now.Add(-time.Hour))}, "", ""},
		{"source was never looked at", Live, change{"OCIRepository platform", "status.conditions", absent{}}, "source-not-ready", "source-controller"},
		{"source behind", Integration, change{"OCIRepository platform", "status.artifact.revision", "0.0.1-rc.1@" + digestA.String()}, "behind", `should have "0.0.2-rc.1"`},
		{"source has nothing", Live, change{"OCIRepository platform", "status.artifact", absent{}}, "behind", "has fetched nothing"},
		{"tag moved", Live, change{"OCIRepository platform", "status.artifact.revision", "0.0.1@" + digestB.String()}, "tag-moved", digestA.String()},
		{"gate behind", Integration, change{"Kustomization platform", "status.lastAppliedRevision", "0.0.1@" + digestA.String()}, "behind", "is ready with"},
		{"gate fails", Integration, change{"Kustomization platform", "status.conditions", notReady("BuildFailed", "kustomize build failed:\n\taccumulating resources")}, "kustomization-failing", "BuildFailed: kustomize build failed: accumulating resources"},
		{"live fails", Live, change{"Kustomization platform", "status.conditions", notReady("ReconciliationFailed", "dry-run failed")}, "kustomization-failing", "dry-run failed"},
		{"beside the gate fails", Integration, change{"Kustomization infra", "status.conditions", notReady("ReconciliationFailed", "dry-run failed")}, "kustomization-failing?", "not the gate"},
		{"gate hangs", Integration, change{"Kustomization platform", "status.conditions", oneCondition("Ready", "Unknown", "Progressing", "Reconciliation in progress", now.Add(-3*time.Hour))}, "kustomization-failing", "in progress"},
		{"gate under way", Integration, change{"Kustomization platform", "status.conditions", oneCondition("Ready", "Unknown", "Progressing", "Reconciliation in progress", now.Add(-time.Minute))}, "", ""},
		{"gate was never looked at", Integration, change{"Kustomization platform", "status", map[string]any{}}, "kustomization-failing", "kustomize-controller"},
		{"wrong path", Integration, change{"Kustomization platform", "status.conditions", notReady("ArtifactFailed", "kustomization path not found: stat /tmp/k/apps: no such file or directory")}, "kustomization-failing", "spec.path"},
		{"no Alert", Integration, change{"Alert github-status", "", absent{}}, "alert-missing", `Alert flux-system/on-call goes to Provider flux-system/slack, of type "slack"`},
		{"Alert of another name", Integration, change{"Alert github-status", "spec.eventSources", sources("Kustomization", "plattform", "")}, "alert-wrong-source", "has Kustomization flux-system/plattform"},
		{"Alert of another kind", Integration, change{"Alert github-status", "spec.eventSources", sources("OCIRepository", "platform", "")}, "alert-wrong-source", "has OCIRepository flux-system/platform"},
		{"Alert of another namespace", Integration, change{"Alert github-status", "spec.eventSources", sources("Kustomization", "*", "apps")}, "alert-wrong-source", "apps/*"},
		{"Alert of nothing", Integration, change{"Alert github-status", "spec.eventSources", absent{}}, "alert-wrong-source", "has none"},
		{"Alert of errors", Integration, change{"Alert github-status", "spec.eventSeverity", "error"}, "alert-filters-all", "spec.eventSeverity"},
		{"Alert includes others", Integration, change{"Alert github-status", "spec.inclusionList", []any{"failed", "("}}, "alert-filters-all", "inclusionList"},
		{"Alert includes it", Integration, change{"Alert github-status", "spec.inclusionList", []any{"(", "^Reconciliation finished in .*"}}, "", ""},
		{"Alert excludes it", Integration, change{"Alert github-status", "spec.exclusionList", []any{"(", "finished"}}, "alert-filters-all", `"finished" matches it`},
		{"Alert excludes others", Integration, change{"Alert github-status", "spec.exclusionList", []any{"(", "^Health check"}}, "", ""},
		{"no Provider", Integration, change{"Provider github-status", "", absent{}}, "provider-missing", "Provider flux-system/github-status"},
		{"Provider elsewhere", Integration, change{"Provider github-status", "metadata.namespace", "apps"}, "provider-missing", "namespace of the Alert"},
		{"dispatch", Integration, change{"Provider github-status", "spec.type", "githubdispatch"}, "provider-drops-event?", "type github"},
		{"another repository is told", Integration, change{"Provider github-status", "spec.address", "https://user:hunter2@github.com/acme/other"}, "provider-wrong-address", `"https://github.com/acme/other"`},
		{"another server is told", Integration, change{"Provider github-status", "spec.address", "https://github.acme.example/acme/fleet"}, "provider-wrong-address", "github.acme.example"},
		{"a slash too many", Integration, change{"Provider github-status", "spec.address", "https://github.com/acme/fleet/"}, "provider-wrong-address", "OWNER/NAME"},
		{"over ssh", Integration, change{"Provider github-status", "spec.address", "git@github.com:Acme/Fleet.git"}, "", ""},
		{"address in the secret", Integration, change{"Provider github-status", "spec.address", absent{}}, "", ""},
		{"no login", Integration, change{"Provider github-status", "spec.secretRef", absent{}}, "provider-secret-missing", "spec.secretRef"},
		{"Provider fails", Integration, change{"Provider github-status", "status", map[string]any{"conditions": notReady("ValidationFailed", "secret not found")}}, "provider-failing", "secret not found"},
		{"Alert fails", Integration, change{"Alert github-status", "status", map[string]any{"conditions": notReady("ValidationFailed", "provider not found")}}, "provider-failing", "Alert"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			changes := []change{test.change}
			if test.change.path == "status.artifact.revision" { // and it is applied too
				for _, k := range []string{"Kustomization infra", "Kustomization platform"} {
					changes = append(changes, change{k, "status.lastAppliedRevision", test.change.value})
				}
			}
			s := state(t, test.role, recorded(t, string(test.role)+".json", changes...))
			got := s.Faults(test.role, registry(t, test.role), gate, now.Add(time.Minute), maxAge)
			wantFaults(t, got, test.want, test.word)
			for _, f := range got {
				if strings.Contains(f.Message+f.Hint, "hunter2") {
					t.Errorf("%+v shows a password", f)
				}
			}
		})
	}
}

func sources(kind, name, namespace string) any {
	source := map[string]any{"kind": kind, "name": name}
	if namespace != "" {
		source["namespace"] = namespace
	}
	return []any{source}
}
