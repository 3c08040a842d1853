package oci

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

type answering func(*http.Request) (*http.Response, error)

func (f answering) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// challengedBy is what is left of a challenge.
func challengedBy(t *testing.T, t2 challenged, asked, header string) (string, error) {
	t.Helper()
	t2.next = answering(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusUnauthorized, Header: http.Header{"Www-Authenticate": {header}}, Body: io.NopCloser(strings.NewReader(""))}, nil
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, asked, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := t2.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	return resp.Header.Get("Www-Authenticate"), nil
}

func TestChallenge(t *testing.T) {
	const asked = "https://registry.example/v2/a/b/tags/list"
	readWrite := challenged{ref: Reference{Host: "registry.example", Repository: "a/b"}, rights: newRights(Options{})}
	readOnly := challenged{ref: readWrite.ref, rights: newRights(Options{ReadOnly: true, Delete: true})}
	deleting := challenged{ref: readWrite.ref, rights: newRights(Options{Delete: true})}
	gitHub := challenged{ref: Reference{Host: GHCR, Repository: "a/b"}, rights: newRights(Options{})}
	const realm = `Bearer realm="https://auth.example/token"`
	for name, c := range map[string]struct {
		by                  challenged
		asked, header, want string // want is the header, or a part of the refusal
	}{
		"another host":               {readWrite, asked, realm, realm},
		"all of it":                  {readWrite, asked, realm + `,service="s",scope="repository:a/b:pull"`, realm + `,service="s",scope="repository:a/b:pull"`},
		"other forms":                {readWrite, asked, `bearer  Realm = https://auth.example/token , service=s,error="x"`, realm + `,service="s"`},
		"quotes":                     {readWrite, asked, realm + `,service="a\"b\\c"`, realm + `,service="a\"b\\c"`},
		"the first realm counts":     {readWrite, asked, realm + `,realm="http://evil.example"`, realm},
		"of others":                  {readWrite, asked, realm + `,scope="repository:a:pull repository:a/b/c:pull registry:catalog:* repository:a/b:pull,push"`, realm + `,scope="repository:a/b:pull,push"`},
		"more than needed":           {readWrite, asked, realm + `,scope="repository:a/b:pull,push,delete,*,metadata_read"`, realm + `,scope="repository:a/b:pull,push,metadata_read"`},
		"to write, though we read":   {readOnly, asked, realm + `,scope="repository:a/b:push,pull repository:a/b:push"`, realm + `,scope="repository:a/b:pull"`},
		"to delete, though we read":  {readOnly, asked, realm + `,scope="repository:a/b:pull,delete"`, realm + `,scope="repository:a/b:pull"`},
		"to delete":                  {deleting, asked, realm + `,scope="repository:a/b:delete,* repository:a:delete"`, realm + `,scope="repository:a/b:delete"`},
		"Basic":                      {readWrite, asked, `Basic realm="x"`, `Basic realm="x"`},
		"no challenge":               {readWrite, asked, "", ""},
		"same host in the clear":     {readWrite, strings.Replace(asked, "https", "http", 1), `Bearer realm="http://registry.example:81/token"`, `Bearer realm="http://registry.example:81/token"`},
		"in the clear":               {readWrite, asked, `Bearer realm="http://auth.example"`, "auth.example over plain HTTP"},
		"in the clear by its own":    {readWrite, asked, `Bearer realm="http://registry.example"`, "registry.example over plain HTTP"},
		"in the clear from there":    {readWrite, strings.Replace(asked, "https", "http", 1), `Bearer realm="http://auth.example"`, "auth.example over plain HTTP"},
		"a login":                    {readWrite, asked, `Bearer realm="https://x:y@auth.example"`, "auth.example with a login"},
		"a file":                     {readWrite, asked, `Bearer realm="file:///etc/passwd"`, "no address"},
		"none":                       {readWrite, asked, `Bearer service="x"`, "no address"},
		"no URL":                     {readWrite, asked, `Bearer realm="https://a b/%zz"`, "no address"},
		"the GitHub token":           {gitHub, "https://ghcr.io/v2/a/b/tags/list", `Bearer realm="https://ghcr.io/token"`, `Bearer realm="https://ghcr.io/token"`},
		"the GitHub token elsewhere": {gitHub, "https://ghcr.io/v2/a/b/tags/list", realm, "auth.example, which is not ghcr.io"},
		"the GitHub token, nearly":   {gitHub, "https://ghcr.io/v2/a/b/tags/list", `Bearer realm="https://ghcr.io.evil.example"`, "ghcr.io.evil.example, which is not ghcr.io"},
	} {
		got, err := challengedBy(t, c.by, c.asked, c.header)
		var refused *Error
		switch {
		case errors.As(err, &refused):
			if !strings.Contains(refused.Error(), c.want) || strings.HasPrefix(c.want, "Bearer") || refused.Hint() == "" {
				t.Errorf("%s: refused: %s; %s", name, refused, refused.Hint())
			}
		case err != nil || got != c.want:
			t.Errorf("%s: got  %q, %v\nwant %q", name, got, err, c.want)
		}
	}
}

func TestDiscreet(t *testing.T) {
	for name, c := range map[string]struct {
		method, auth string
		status       int
		body, want   string
		learned      []string
	}{
		"Basic":            {"GET", "Basic cm9ib3Q6czNjcmV0", 403, "you sent s3cret", "you sent ***", []string{"cm9ib3Q6czNjcmV0", "s3cret"}},
		"Bearer":           {"GET", "Bearer tok", 500, "x", "x", []string{"tok"}},
		"nothing":          {"GET", "", 404, "s3cret", "***", []string{""}},
		"a good answer":    {"GET", "", 200, "s3cret", "s3cret", []string{""}},
		"longer than page": {"GET", "", 400, strings.Repeat("s3cret", 20_000), strings.Repeat("***", 10922) + "s3cr", []string{""}},
	} {
		var learned []string
		next := answering(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: c.status, Status: "403 s3cret", Header: http.Header{"Content-Length": {"1"}}, Body: io.NopCloser(strings.NewReader(c.body)), Request: req}, nil
		})
		rt := Discreet(next, func(s string) { learned = append(learned, s) }, func(s string) string { return strings.ReplaceAll(s, "s3cret", "***") })
		req, err := http.NewRequestWithContext(t.Context(), c.method, "https://x/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.auth != "" {
			req.Header.Set("Authorization", c.auth)
		}
		resp, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %.100q, %v", name, got, err)
		}
		if strings.Join(learned, " ") != strings.Join(c.learned, " ") {
			t.Errorf("%s: learned %q, want %q", name, learned, c.learned)
		}
		if c.status >= 400 && (resp.Status != "403 ***" || int(resp.ContentLength) != len(got) || resp.Header.Get("Content-Length") != "") {
			t.Errorf("%s: status %q, length %d", name, resp.Status, resp.ContentLength)
		}
	}
}
