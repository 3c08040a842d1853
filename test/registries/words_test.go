package registries

import (
	"cmp"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
	"github.com/oci-promote/oci-promote/test/registrytest/vendors"
)

// notARegistry is what must not be said of a registry that answers in its own words.
const notARegistry = "not how a registry answers"

// buildArgs is a build of one file, as commit b, the second one.
func buildArgs(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	programtest.Write(t, filepath.Join(dir, "app.yaml"), "commit: "+b+"\n")
	return []string{"--path", dir, "--revision", "main@sha1:" + b, "--height", "2"}
}

// TestLogins: a login that does not do is told as what it is, in every vendor's words, before anything is written.
func TestLogins(t *testing.T) {
	for _, v := range vendors.Table {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			w := inWordsOf(v).start(t)
			first := w.ready().build(t, a, 0)
			for _, login := range []struct{ name, user, password, mode, says string }{
				{"a wrong password", vendors.Robot, "guess", "build", "password"},
				{"a wrong password", vendors.Robot, "guess", "verify", "password"},
				{"none", "", "", "build", "username"},
				{"none", "", "", "verify", "username"},
				{"one that may only read", vendors.Reader, vendors.Password, "build", cmp.Or(v.Denied.Code, "denied")},
			} {
				w.Username, w.Password = login.user, login.password
				w.Reset()
				flags := []string{"--retry-for", "0s"}
				if login.mode == "build" {
					flags = append(flags, buildArgs(t)...)
				}
				r := w.run(t, nil, login.mode, flags...)
				said := strings.ToLower(r.Stderr)
				if r.Code != 1 || !strings.Contains(said, strings.ToLower(login.says)) || strings.Contains(said, notARegistry) {
					t.Errorf("%s, mode %s: exit status %d, want 1 and the word %q\n%s%s\n%s", login.name, login.mode, r.Code, login.says, r.Stdout, r.Stderr, w.RequestLog())
				}
				if writes := w.manifestWrites(); len(writes) > 0 {
					t.Errorf("%s, mode %s: writes %v", login.name, login.mode, writes)
				}
			}
			if tags := w.tags(); len(tags) != 3 || tags[first.Tag] != first.Digest {
				t.Errorf("the tags are %v", tags)
			}
		})
	}
}

// TestThrottled: who is told to slow down does, and gets there.
func TestThrottled(t *testing.T) {
	for _, v := range vendors.Table {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			w := inWordsOf(v).start(t)
			w.ready().build(t, a, 0)
			w.store.(*vendors.Registry).Throttle(1)
			w.Reset()
			r := w.run(t, nil, "build", append(buildArgs(t), "--retry-for", "30s")...)
			if r.Code != 0 || !strings.HasPrefix(r.Stdout, "build: created 0.0.1-rc.2\n") {
				t.Errorf("exit status %d\n%s%s\n%s", r.Code, r.Stdout, r.Stderr, w.RequestLog())
			}
			w.store.(*vendors.Registry).Throttle(1)
			r = w.run(t, nil, "verify", "--retry-for", "0s")
			if r.Code != 1 || !strings.Contains(r.Stderr, "429") || strings.Contains(r.Stderr, notARegistry) {
				t.Errorf("without retries: exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
			}
		})
	}
}

// TestLinkToAnotherPath: Artifactory, asked by a path that begins with its own repository's name, leaves that name out of the
// Link (RTFACT-18971). The list cannot be read on, and is not taken for whole.
func TestLinkToAnotherPath(t *testing.T) {
	t.Parallel()
	v := vendor(t, "Artifactory")
	v.Manifests = vendors.Manifests{} // what is another story
	v.Link = vendors.Link{Source: "https://github.com/renovatebot/renovate/pull/20745", Form: vendors.OtherPath}
	w := inWordsOf(v).start(t)
	w.history(t, 1100)
	for mode, args := range map[string][]string{"build": buildArgs(t), "verify": nil} {
		w.Reset()
		r := w.run(t, nil, mode, append(args, "--retry-for", "0s")...)
		if r.Code != 1 || !strings.Contains(r.Stderr, "/v2/fleet/tags/list") {
			t.Errorf("%s: exit status %d, want 1 and the Link\n%s%s", mode, r.Code, r.Stdout, r.Stderr)
		}
		if writes := w.manifestWrites(); len(writes) > 0 {
			t.Errorf("%s writes %v", mode, writes)
		}
	}
}

// TestListOfAnotherOrigin: behind a proxy that ends TLS, or by another name, Quay's Links lead to the address that it is set
// up with. From the second page on the login is not sent there, and the run says what must be set.
func TestListOfAnotherOrigin(t *testing.T) {
	t.Parallel()
	w := inWordsOf(vendor(t, "Quay")).start(t)
	w.history(t, 300)
	const elsewhere = "quay.example.com"
	w.Intercept(registrytest.On(http.MethodGet, "/tags/list", registrytest.Rewritten(func(h http.Header, body []byte) []byte {
		h.Set("Link", strings.Replace(h.Get("Link"), w.Host, elsewhere, 1))
		return body
	})))
	w.Reset()
	r := w.run(t, nil, "build", append(buildArgs(t), "--retry-for", "0s")...)
	if r.Code != 1 || !strings.Contains(r.Stderr, elsewhere) || !strings.Contains(strings.ToLower(r.Stderr), "external") {
		t.Errorf("exit status %d, want 1 and what the registry's external URL must be\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	if writes := w.manifestWrites(); len(writes) > 0 {
		t.Errorf("it writes %v", writes)
	}
}

// vendor is a row of the table.
func vendor(t *testing.T, name string) vendors.Vendor {
	t.Helper()
	for _, v := range vendors.Table {
		if v.Name == name {
			return v
		}
	}
	t.Fatalf("no vendor is %q", name)
	return vendors.Vendor{}
}
