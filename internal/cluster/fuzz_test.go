package cluster

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Whatever a file holds, it is refused in one line, or what is said of it is lines.
func FuzzAdd(f *testing.F) {
	f.Add([]byte(`{"kind":"List","items":[
{"kind":"OCIRepository","metadata":{"name":"s"},"spec":{"url":"oci://ghcr.io/acme/fleet","ref":{"semver":">= 0-0"}},"status":{"artifact":{"revision":"0.0.1@sha256:1"},"conditions":[{"type":"Ready","status":"True"}]}},
{"kind":"Kustomization","metadata":{"name":"platform"},"spec":{"sourceRef":{"kind":"OCIRepository","name":"s"},"dependsOn":[{"name":"platform"}]},"status":{"conditions":[{"type":"Ready","status":"False","reason":"DependencyNotReady"}]}}]}`))
	f.Add([]byte(`{"kind":"Alert","metadata":{"name":"a"},"spec":{"providerRef":{"name":"p"},"eventSources":[{"kind":"Kustomization","name":"*"}]}}
{"kind":"Provider","metadata":{"name":"p"},"spec":{"type":"github","address":"git@h:o/r"}}`))
	f.Add([]byte(`{"apiVersion":"v1","kind":"Event","reason":"NotificationDispatchFailed","involvedObject":{"kind":"Alert","name":"a"},"message":"failed to send notification for Kustomization/flux-system/platform: 403 x"}`))
	f.Add([]byte("NS NAME\nflux-system github-token\n"))
	f.Add([]byte(`{"kind":"SecretList","items":[{"metadata":{"name":"a"},"data":{"b":"c"}}]}`))
	f.Add([]byte("---\nkind: List"))
	f.Fuzz(func(t *testing.T, blob []byte) {
		for _, role := range []Role{"", Integration, Live} {
			s := &State{Role: role}
			if err := s.Add("state\n.json", bytes.NewReader(blob)); err != nil {
				line(t, err.Error())
				continue
			}
			allLines(t, s, gate)
		}
	})
}

// Whatever text stands in a field, what is said of it is lines.
func FuzzText(f *testing.F) {
	fields := []struct{ object, path string }{
		{"OCIRepository platform", "spec.url"}, {"OCIRepository platform", "spec.ref.semver"}, {"OCIRepository platform", "spec.ref.semverFilter"},
		{"OCIRepository platform", "spec.ref.digest"}, {"OCIRepository platform", "status.artifact.revision"}, {"OCIRepository platform", "status.conditions"},
		{"Kustomization platform", "spec.sourceRef.kind"}, {"Kustomization platform", "spec.sourceRef.name"}, {"Kustomization platform", "spec.sourceRef.namespace"},
		{"Kustomization platform", "status.lastAppliedRevision"}, {"Kustomization platform", "status.conditions"}, {"Kustomization platform", "metadata.name"},
		{"Alert github-status", "spec.eventSources"}, {"Alert github-status", "spec.providerRef.name"}, {"Alert github-status", "spec.inclusionList"},
		{"Alert github-status", "spec.exclusionList"}, {"Alert github-status", "spec.eventSeverity"},
		{"Provider github-status", "spec.type"}, {"Provider github-status", "spec.address"}, {"Provider github-status", "spec.secretRef.name"},
	}
	for i := range fields {
		f.Add(uint8(i), "A\nB\r\x00\x1b[31m\u2028::error::")
	}
	for _, text := range []string{"oci://a:b@ghcr.io/acme/fleet:1", "HTTPS://GHCR.IO/acme/fleet/", "> 1 || ~0-0", "((((a*)*)*)*)*$", "(?P<", "git@h:o/r", "0.0.1@" + string(digestA), strings.Repeat("x", 9000)} {
		f.Add(uint8(0), text)
	}
	names := []byte("apps x\n")
	f.Fuzz(func(t *testing.T, field uint8, text string) {
		at := fields[int(field)%len(fields)]
		var value any = text
		switch at.path[strings.LastIndexByte(at.path, '.')+1:] {
		case "conditions":
			value = notReady(text, text)
		case "eventSources":
			value = sources(text, text, text)
		case "inclusionList", "exclusionList":
			value = []any{text}
		}
		for _, role := range []Role{"", Integration, Live} {
			s := &State{Role: role}
			if err := s.Add("a", bytes.NewReader(recorded(t, "integration.json", change{at.object, at.path, value}))); err != nil {
				line(t, err.Error())
				continue
			}
			if err := s.Add("secrets", bytes.NewReader(names)); err != nil {
				t.Fatal(err)
			}
			allLines(t, s, gate)
			allLines(t, s, Gate{Name: text, Namespace: text, Repository: text, Server: text})
		}
	})
}

func allLines(t *testing.T, s *State, g Gate) {
	t.Helper()
	for _, role := range []Role{Integration, Live} {
		r := registry(t, role)
		for _, fault := range s.Faults(role, r, g, now, maxAge) {
			line(t, fault.Message)
			line(t, fault.Hint)
		}
		s.Applied(role, r, g)
		s.Fetched(role, r, g)
	}
}

func line(t *testing.T, s string) {
	t.Helper()
	if s == "" || strings.ContainsAny(s, "\r\n\x00\x1b\u2028") || len(s) > 8192 {
		t.Errorf("%q is not a line of reasonable length", s)
	}
}

// No login survives in an address or in what Flux says, whatever stands around it.
func FuzzSecret(f *testing.F) {
	const secret = "hunter2secret"
	f.Add("robot", "ghcr.io/acme/fleet", "GET ", ": DENIED")
	f.Add("", "ghcr.io", "\"", "\": EOF")
	f.Add("a:b", "x.test/?password=", "", "")
	f.Add("a%40b", "ghcr.io/@x", "token=", "@")
	f.Add("robot", "h", "a@b://", "://c@d")
	f.Fuzz(func(t *testing.T, user, host, before, after string) {
		if strings.ContainsAny(user, "/\"'?#@ ") || strings.ContainsFunc(user, unicode.IsSpace) || strings.ContainsFunc(user, unicode.IsControl) || !utf8.ValidString(user) || strings.Contains(host, "sha256") {
			return
		}
		login := "://" + user + ":" + secret + "@" + host
		for _, text := range []string{before + "https" + login + after, before + "oci" + login + after, `{"token":"` + secret + `"}` + after, "password=" + secret + " " + after, "Authorization: Bearer " + secret} {
			if got := said(text); strings.Contains(got, secret) {
				t.Errorf("said(%q) = %q", text, got)
			}
		}
		for _, text := range []string{"https" + login, "oci" + login + "?x=" + secret, "git" + login + "#" + secret} {
			if got := address(text); strings.Contains(got, secret) {
				t.Errorf("address(%q) = %q", text, got)
			}
		}
	})
}
