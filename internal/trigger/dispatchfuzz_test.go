package trigger

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// A dispatch proves health if and only if it is the Kustomization's, of severity info, and says so by its reason or the
// beginning of its message; the proof is of the digest and the commit that it names. Written against docs/facts.md 1 and 2.
func FuzzDispatch(f *testing.F) {
	f.Add("Kustomization", "flux-system", "platform", "info", "Progressing", "Health check passed in 21.769759ms", revision1, "main@sha1:"+commit)
	f.Add("kustomization", "x", "PLATFORM", "info", "ReconciliationSucceeded", "Reconciliation finished", revision1, "")
	f.Add("Kustomization", "flux-system", "platform", "error", "HealthCheckFailed", "timeout\nwaiting", revision1, "main@sha1:"+commit)
	f.Add("Kustomization", "flux-system", "platform", "error", "ReconciliationSucceeded", "x", revision1, "")
	f.Add("Kustomization", "flux-system", "platform", "info", "Progressing", "no Health check passed in 1s", revision1, "")
	f.Add("OCIRepository", "flux-system", "platform", "info", "NewArtifact", "stored", revision1, "main@sha1:"+commit)
	f.Add("Kustomization", "flux-system", "platform-dev", "info", "Progressing", "Health check passed in 1s", revision1, "a b@sha1:"+commit)
	f.Add("Kustomization", "flux-system", "platform", "info", "Progressing", "health check passed in 1s", "main@sha1:"+commit, "main@sha1:"+commit+"\n")
	f.Add("Kuſtomization", "flux-system", "platform", "info", "Progressing", "Health check passed in", "0.0.1@"+string(digestA)+"\n", "@sha1:"+commit)
	tagged := regexp.MustCompile(`\A[0-9A-Za-z_][0-9A-Za-z_.-]{0,127}@sha256:[0-9a-f]{64}\z`)
	committed := regexp.MustCompile(`\A\S.*@sha1:[0-9a-f]{40}\z`)
	f.Fuzz(func(t *testing.T, kind, namespace, name, severity, reason, message, revision, origin string) {
		text := []string{kind, namespace, name, severity, reason, message, revision, origin}
		for _, s := range text {
			if !utf8.ValidString(s) {
				return // JSON holds other text then
			}
		}
		payload, err := json.Marshal(map[string]any{"client_payload": map[string]any{
			"involvedObject": map[string]string{"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": kind, "namespace": namespace, "name": name},
			"severity":       severity, "reason": reason, "message": message,
			"metadata": map[string]string{"revision": revision, "originRevision": origin},
		}})
		if err != nil {
			t.Fatal(err)
		}
		for _, gate := range []Gate{platform, {Namespace: "flux-system", Name: "platform"}} {
			got, err := gate.Read(DispatchEvent, payload)
			holds(t, got, err)
			ours := strings.EqualFold(kind, "Kustomization") && strings.EqualFold(name, "platform") && namespace != "" && (gate.Namespace == "" || strings.EqualFold(namespace, gate.Namespace))
			proves := ours && severity == "info" && reason != "" && message != "" && (reason == "ReconciliationSucceeded" || strings.HasPrefix(message, "Health check passed in"))
			switch {
			case got.Proven && !proves:
				t.Errorf("%q proves %+v", text, got)
			case got.Proven && (!tagged.MatchString(revision) || revision != got.Tag+"@"+string(got.Digest)):
				t.Errorf("%q proves %+v", text, got)
			case got.Proven && origin != "" && (!committed.MatchString(origin) || !strings.HasSuffix(origin, got.Commit)):
				t.Errorf("%q proves %+v", text, got)
			case proves && err == nil && !got.Proven:
				t.Errorf("%q proves nothing: %s", text, got.Because)
			case err != nil && proves && tagged.MatchString(revision) && origin == "":
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}

// What names a Kustomization or a context is read as it is written, or refused.
func FuzzGate(f *testing.F) {
	for _, s := range []string{"", "platform", "flux-system/platform", "a/b/c", "/", "-a", "A", "a\n", "a/", "kustomization/platform/", "//", " a/b", "ü", strings.Repeat("a", 254)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		g, err := ParseKustomization(s)
		switch {
		case err != nil && (g.Name != "" || strings.ContainsAny(err.Error(), "\r\n")):
			t.Errorf("%q is %+v, %v", s, g, err)
		case err == nil && g.String() != s:
			t.Errorf("%q is %q", s, g)
		case err == nil && s != "" && (!g.is("flux-system", g.Name) && g.Namespace == "" || !g.speaks("kustomization/"+g.Name) || g.speaks("kustomization/"+g.Name+"x")):
			t.Errorf("%q does not mean itself", s)
		}
		segments, err := ParseContext(s)
		if err == nil && strings.Join(segments, "/") != strings.TrimSuffix(s, "/") || err != nil && segments != nil {
			t.Errorf("the context %q is %q, %v", s, segments, err)
		}
		if g := (Gate{Name: "x", Context: segments}); err == nil && segments != nil && (!g.speaks(s) || !g.speaks(s+"/y") || g.speaks("x"+s)) {
			t.Errorf("the context %q does not mean itself", s)
		}
	})
}
