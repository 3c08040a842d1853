package trigger

import "testing"

const healthy = "repository_dispatch.kustomization-health-check-passed.json"

// dispatch is the recorded event of a passed health check in which one field of Flux's
// event has another value.
func dispatch(t testing.TB, path string, value any) []byte {
	t.Helper()
	return edited(t, healthy, "client_payload."+path, value)
}

// Of what real controllers sent, only the passed health check proves something; the apply
// event before it differs from it in its message alone (docs/facts.md 2).
func TestReadDispatchRecorded(t *testing.T) {
	proof := Proof{commit, digestA, "0.0.1-rc.1"}
	tests := []struct {
		file, kustomization string
		want                Proof
		because             string
	}{
		{"kustomization-health-check-passed", "platform", proof, "Kustomization flux-system/platform: Health check passed in 21.769759ms"},
		{"kustomization-health-check-passed", "flux-system/platform", proof, "Health check passed in"},
		{"kustomization-health-check-passed", "apps/platform", Proof{}, "the event is of Kustomization flux-system/platform, not of Kustomization apps/platform"},
		{"kustomization-health-check-passed", "other", Proof{}, "not of Kustomization other"},
		{"kustomization-health-check-passed", "flux-system", Proof{}, "not of Kustomization flux-system"},
		{"kustomization-applied", "platform", Proof{}, `Kustomization flux-system/platform reports Progressing: "ConfigMap/default/platform created", which is sent before its health is known`},
		{"kustomization-applied", "other", Proof{}, "not of Kustomization other"},
		{"gate-kustomization-applied", "platform", Proof{}, "the event is of Kustomization flux-system/validated, not of Kustomization platform"},
		{"gate-kustomization-applied", "validated", Proof{}, "which is sent before its health is known"},
		{"ocirepository-new-artifact", "platform", Proof{}, "the event is of OCIRepository flux-system/flux-system, and only a Kustomization's can prove health"},
		{"ocirepository-new-artifact", "flux-system/flux-system", Proof{}, "only a Kustomization's can prove health"},
	}
	for _, test := range tests {
		t.Run(test.file+" for "+test.kustomization, func(t *testing.T) {
			gate, err := ParseKustomization(test.kustomization)
			if err != nil {
				t.Fatal(err)
			}
			got, err := gate.Read(DispatchEvent, recorded(t, "repository_dispatch."+test.file+".json"))
			wantVerdict(t, got, err, test.want, test.because)
		})
	}
}

// An event proves health by what it is of, its severity, and its reason or the beginning of
// its message.
func TestReadDispatchProves(t *testing.T) {
	tests := []struct {
		name, field string
		value       any
		because     string // empty for a proof
	}{
		{"another duration", "message", "Health check passed in 4m59.5s", ""},
		{"another cluster", "metadata.cluster", "live", ""},
		{"an older API version", "involvedObject.apiVersion", "kustomize.toolkit.fluxcd.io/v1beta2", ""},
		{"no API version", "involvedObject.apiVersion", absent{}, ""},
		{"the kind in other case", "involvedObject.kind", "kustomization", ""},
		{"the name in other case", "involvedObject.name", "Platform", ""},
		{"the namespace in other case", "involvedObject.namespace", "Flux-System", ""},
		{"severity error", "severity", "error", "reports error: Health check passed in"},
		{"severity trace", "severity", "trace", "reports trace: "},
		{"severity Info", "severity", "Info", "reports Info: "},
		{"the words in the middle", "message", "ConfigMap/x created, Health check passed in 1s", "before its health is known"},
		{"the words after a line break", "message", "ConfigMap/x created\nHealth check passed in 1s", "before its health is known"},
		{"the words after a space", "message", " Health check passed in 1s", "before its health is known"},
		{"the words in other case", "message", "health check passed in 1s", "before its health is known"},
		{"a part of the words", "message", "Health check passed", "before its health is known"},
		{"a failed check", "message", "Health check failed after 1s", "before its health is known"},
		{"another kind", "involvedObject.kind", "HelmRelease", "only a Kustomization's"},
		{"a longer kind", "involvedObject.kind", "Kustomizations", "only a Kustomization's"},
		{"another API group", "involvedObject.apiVersion", "kustomize.config.k8s.io/v1beta1", "only a Kustomization's"},
		{"an API group that begins the same", "involvedObject.apiVersion", "kustomize.toolkit.fluxcd.io.example.com/v1", "only a Kustomization's"},
		{"a longer API group", "involvedObject.apiVersion", "x.kustomize.toolkit.fluxcd.io/v1", "only a Kustomization's"},
		{"another Kustomization", "involvedObject.name", "platform-dev", "not of Kustomization flux-system/platform"},
		{"a shorter name", "involvedObject.name", "plat", "not of Kustomization flux-system/platform"},
		{"another namespace", "involvedObject.namespace", "flux", "of Kustomization flux/platform, not of Kustomization flux-system/platform"},
		{"a name of two lines", "involvedObject.name", "x\n::error::y", "of Kustomization flux-system/x ::error::y, not of"},
	}
	gate := Gate{Namespace: "flux-system", Name: "platform"}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := gate.Read(DispatchEvent, dispatch(t, test.field, test.value))
			if test.because == "" {
				wantVerdict(t, got, err, Proof{commit, digestA, "0.0.1-rc.1"}, ": Health check passed in ")
			} else {
				wantVerdict(t, got, err, Proof{}, test.because)
			}
		})
	}
}

// ReconciliationSucceeded proves health whatever the message is. Another reason does not,
// nor does this one as an error.
func TestReadDispatchReason(t *testing.T) {
	const applied = "repository_dispatch.kustomization-applied.json"
	tests := []struct {
		reason, severity string
		want             bool
		because          string
	}{
		{"ReconciliationSucceeded", "info", true, "ConfigMap/default/platform created"},
		{"ReconciliationSucceeded", "error", false, "reports error: ConfigMap/default/platform created"},
		{"ReconciliationFailed", "info", false, "reports ReconciliationFailed"},
		{"reconciliationsucceeded", "info", false, "reports reconciliationsucceeded"},
		{"ReconciliationSucceededNot", "info", false, "reports ReconciliationSucceededNot"},
		{"HealthCheckFailed", "error", false, "reports error"},
	}
	for _, test := range tests {
		t.Run(test.reason+" "+test.severity, func(t *testing.T) {
			event := edit(t, edited(t, applied, "client_payload.reason", test.reason), "client_payload.severity", test.severity)
			got, err := platform.Read(DispatchEvent, event)
			var want Proof
			if test.want {
				want = Proof{commit, digestA, "0.0.1-rc.1"}
			}
			wantVerdict(t, got, err, want, test.because)
		})
	}
}

// Flux's errors have many lines; the reason has one.
func TestReadDispatchError(t *testing.T) {
	event := dispatch(t, "message", "Health check failed after 30s:\n\ttimeout waiting for:\r\n[Deployment/podinfo status: 'InProgress']\n")
	got, err := platform.Read(DispatchEvent, edit(t, event, "client_payload.severity", "error"))
	wantVerdict(t, got, err, Proof{}, "reports error: Health check failed after 30s: timeout waiting for: [Deployment/podinfo status: 'InProgress']")
	got, err = platform.Read(DispatchEvent, dispatch(t, "message", "Health check passed in 1s\n::error::x"))
	wantVerdict(t, got, err, Proof{commit, digestA, "0.0.1-rc.1"}, "platform: Health check passed in 1s ::error::x")
}
