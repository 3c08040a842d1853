package oci

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// linked answers with a page of tags that names another one, and keeps who was asked with which login.
type linked struct {
	link  string
	asked []*http.Request
	pages int
}

func (l *linked) RoundTrip(req *http.Request) (*http.Response, error) {
	l.asked = append(l.asked, req)
	if req.Header.Get("Authorization") == "" {
		resp, err := canned{status: http.StatusUnauthorized}.RoundTrip(req)
		resp.Header.Set("WWW-Authenticate", `Basic realm="here"`)
		return resp, err
	}
	l.pages++
	resp, err := canned{http.StatusOK, "application/json", `{"tags":["1.0.0"]}`}.RoundTrip(req)
	if l.link != "" && l.pages < 4 {
		resp.Header.Set("Link", l.link)
	}
	return resp, err
}

// Wherever a Link header leads, the registry's login is not sent to another host, and not in plain text.
func FuzzLink(f *testing.F) {
	for _, link := range []string{
		`</v2/acme/fleet/tags/list?last=b&n=2>; rel="next"`, `<https://registry.test/v2/acme/fleet/tags/list?last=b>; rel="next"`, `<https://evil.test/v2/x>; rel="next"`,
		`<http://registry.test/v2/x>; rel="next"`, `<//evil.test/v2/x>; rel="next"`, `<https://registry.test@evil.test/>; rel=next`, `<https://u:p@registry.test/v2/x>; rel="next"`,
		`<https://registry.test:444/v2/x>`, `<>`, `<`, `>`, `rel="next"`, `<?last=\x00>`, `<https://[::1>`, `<javascript:x>; rel="next"`, `<\\evil.test\x>`, `</..//evil.test/x>`, `<%2f%2fevil.test/>`,
	} {
		f.Add(link)
	}
	f.Fuzz(func(t *testing.T, link string) {
		l := &linked{link: link}
		tags, err := allTags(t, openCanned(t, l, Options{Credentials: Credentials{Username: "robot", Password: "s3cret"}}))
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error holds the password: %v", err)
		}
		if err == nil && len(tags) != 1 || l.pages == 0 { // the same one on each page
			t.Errorf("%d tags of %d pages, %v", len(tags), l.pages, err)
		}
		for _, req := range l.asked {
			if req.URL.Host != "registry.test" && req.Header.Get("Authorization") != "" || req.URL.Scheme != "https" && req.Header.Get("Authorization") != "" {
				t.Errorf("%s is sent the login", req.URL)
			}
			if req.URL.Host != "registry.test" || req.URL.Scheme != "https" {
				t.Errorf("%s is asked for tags of registry.test", req.URL)
			}
		}
	})
}

// Docker's configuration gives the login that it has for a host, or an error that shows none.
func FuzzDockerConfig(f *testing.F) {
	login := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	f.Add([]byte(`{"auths":{"registry.test":{"auth":"`+login("dora:s3cret")+`"}}}`), "dora", "s3cret")
	f.Add([]byte(`{"auths":{"https://registry.test/v1/":{"username":"dora","password":"s3cret"}},"credsStore":"desktop","credHelpers":{"registry.test":""}}`), "a", "b:c")
	f.Add([]byte(`{"auths":{"registry.test":{"auth":"`+login("dora")+`"}}}`), "é", "\x00")
	f.Add([]byte(`{"auths":{"registry.test":{"identitytoken":"t","auth":"=="}}}`), "x", "")
	f.Add([]byte(`{"auths":[]}`), "", "x")
	f.Add([]byte(`{`), "a\nb", "c\nd")
	f.Fuzz(func(t *testing.T, config []byte, username, password string) {
		dir := t.TempDir()
		t.Setenv("DOCKER_CONFIG", dir)
		t.Setenv("PATH", "") // a credential helper is a program
		write := func(text []byte) {
			if err := os.WriteFile(filepath.Join(dir, "config.json"), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write(config)
		l, err := Credentials{}.pick(Reference{Host: "registry.test", Repository: "acme/fleet"})
		if err == nil {
			_, err = l.credential(t.Context(), "registry.test")
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error holds the password: %v", err)
		}
		if strings.Contains(username, ":") || username == "" || password == "" {
			return
		}
		good, err := json.Marshal(map[string]any{"auths": map[string]any{"registry.test": map[string]string{"auth": login(username + ":" + password)}}})
		if err != nil {
			t.Fatal(err)
		}
		write(good)
		if l, err = (Credentials{}).pick(Reference{Host: "registry.test", Repository: "acme/fleet"}); err != nil {
			t.Fatal(err)
		}
		got, err := l.credential(t.Context(), "registry.test")
		if err != nil || got.Username != username || got.Password != password {
			t.Errorf("docker login with %q %q gives %q %q, %v", username, password, got.Username, got.Password, err)
		}
		if got, err := l.credential(t.Context(), "evil.test"); err != nil || got.Username+got.Password != "" {
			t.Errorf("another host is told %q %q, %v", got.Username, got.Password, err)
		}
	})
}

// Whatever an index.json holds, it is refused, or its tags can be listed and a write keeps them.
func FuzzLayout(f *testing.F) {
	const d = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" // of {}
	entry := func(tag string) string {
		return fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":%q,"size":2,"annotations":{"org.opencontainers.image.ref.name":%q}}`, d, tag)
	}
	for _, index := range []string{
		`{"schemaVersion":2,"manifests":[]}`, `{"manifests":[` + entry("1.0.0") + `,` + entry("latest") + `]}`, `{"manifests":[` + entry("") + `]}`, `{"manifests":[` + entry("a\nb") + `]}`,
		`{"manifests":[{"digest":"sha256:x"}]}`, `{"manifests":[{"digest":"../../x","annotations":{"org.opencontainers.image.ref.name":"a"}}]}`, `{"manifests":null}`, `[]`, ``, `{`,
	} {
		f.Add([]byte(index))
	}
	f.Fuzz(func(t *testing.T, index []byte) {
		dir := t.TempDir()
		blobs := filepath.Join(dir, "blobs", "sha256")
		if err := os.MkdirAll(blobs, 0o700); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string][]byte{
			filepath.Join(dir, "index.json"): index, filepath.Join(dir, "oci-layout"): []byte(`{"imageLayoutVersion":"1.0.0"}`), filepath.Join(blobs, d[len("sha256:"):]): []byte("{}"),
		} {
			if err := os.WriteFile(name, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before, err := layoutTags(t, dir, "")
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error has several lines: %v", err)
			}
			return
		}
		after, err := layoutTags(t, dir, "9.9.9-new")
		if err != nil {
			t.Fatalf("a layout with the tags %q cannot be written: %v", before, err)
		}
		again, err := layoutTags(t, dir, "")
		if err != nil || strings.Join(again, "\n") != strings.Join(after, "\n") {
			t.Errorf("tags %q, and on reading again %q, %v", after, again, err)
		}
		kept := map[string]bool{}
		for _, tag := range after {
			kept[tag] = true
		}
		for _, tag := range append(before, "9.9.9-new") {
			if !kept[tag] {
				t.Errorf("the tag %q is lost", tag)
			}
		}
	})
}

// layoutTags lists the tags of a layout, after tagging the one manifest that it has.
func layoutTags(t *testing.T, dir, tag string) (tags []string, err error) {
	t.Helper()
	l, err := OpenLayout(t.Context(), dir, tag == "")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	if tag != "" {
		desc, err := l.Resolve(t.Context(), "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
		if err != nil {
			desc.MediaType, desc.Digest, desc.Size = "application/octet-stream", "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", 2
		}
		if err := l.Tag(t.Context(), desc, tag); err != nil {
			return nil, err
		}
	}
	err = l.Tags(t.Context(), "", func(page []string) error { tags = append(tags, page...); return nil })
	return tags, err
}
