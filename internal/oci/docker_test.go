package oci

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oras.land/oras-go/v2/registry/remote/auth"
)

// writeDocker has DOCKER_CONFIG name a directory with this config.json.
func writeDocker(t testing.TB, config string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
}

// auths is a configuration with a login for each key, whose user is the key.
func auths(t *testing.T, keys ...string) string {
	t.Helper()
	logins := map[string]any{}
	for _, key := range keys {
		logins[key] = map[string]string{"username": key, "password": "s3cret"}
	}
	text, err := json.Marshal(map[string]any{"auths": logins})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTheLoginOfARepository: of the keys of one host, the longest that fits the repository by whole segments, each time the same.
func TestTheLoginOfARepository(t *testing.T) {
	for name, c := range map[string]struct {
		keys             []string
		host, repository string
		want             string
	}{
		"the longest":             {[]string{"registry.test", "registry.test/a", "registry.test/a/b", "registry.test/a/b/c/d"}, "registry.test", "a/b/c", "registry.test/a/b"},
		"all of it":               {[]string{"registry.test/a", "registry.test/a/b/c"}, "registry.test", "a/b/c", "registry.test/a/b/c"},
		"whole segments":          {[]string{"registry.test/a", "registry.test/a/b"}, "registry.test", "a/bc", "registry.test/a"},
		"another path":            {[]string{"registry.test/x", "registry.test/y/z"}, "registry.test", "a/b", ""},
		"the host":                {[]string{"registry.test/x", "registry.test", "registry.test/y"}, "registry.test", "a/b", "registry.test"},
		"a URL":                   {[]string{"https://registry.test/v1/", "https://other.test/v1/"}, "registry.test", "a/b", "https://registry.test/v1/"},
		"a URL with a path":       {[]string{"https://registry.test", "https://registry.test/a/"}, "registry.test", "a/b", "https://registry.test/a/"},
		"a path that looks so":    {[]string{"registry.test/v2", "registry.test"}, "registry.test", "v2/b", "registry.test/v2"},
		"the name before its URL": {[]string{"https://registry.test/v2/", "http://registry.test", "registry.test", "https://registry.test"}, "registry.test", "a/b", "registry.test"},
		"two URLs":                {[]string{"https://registry.test/v1/", "https://registry.test"}, "registry.test", "a/b", "https://registry.test"},
		"another port":            {[]string{"registry.test", "registry.test:444/a"}, "registry.test:443", "a/b", ""},
		"the port":                {[]string{"registry.test", "registry.test:443"}, "registry.test:443", "a/b", "registry.test:443"},
		"a name that ends alike":  {[]string{"xregistry.test", "registry.test.evil.test"}, "registry.test", "a/b", ""},
		"Docker Hub":              {[]string{"docker.io", "https://index.docker.io/v1/"}, "docker.io", "a/b", "https://index.docker.io/v1/"},
		"a path on Docker Hub":    {[]string{"docker.io/a", "https://index.docker.io/v1/"}, "docker.io", "a/b", "docker.io/a"},
		"another path there":      {[]string{"docker.io/x", "index.docker.io"}, "docker.io", "a/b", "index.docker.io"},
		"in capitals":             {[]string{"Registry.Test/A"}, "registry.test", "a/b", "Registry.Test/A"},
		"nothing":                 {nil, "registry.test", "a/b", ""},
	} {
		t.Run(name, func(t *testing.T) {
			writeDocker(t, auths(t, c.keys...))
			for range 10 {
				l, err := Credentials{}.pick(Reference{Host: c.host, Repository: c.repository})
				if err != nil {
					t.Fatal(err)
				}
				asked := strings.Replace(c.host, "docker.io", "registry-1.docker.io", 1)
				got, err := l.credential(t.Context(), asked)
				if err != nil || got.Username != c.want {
					t.Fatalf("%q, %v; want %q", got.Username, err, c.want)
				}
				if other, err := l.credential(t.Context(), "evil.test"); err != nil || other != auth.EmptyCredential {
					t.Fatalf("another host gets %q, %v", other.Username, err)
				}
			}
		})
	}
}

// An entry without a login, as Docker leaves it beside a credential helper, hides none that is for more.
func TestAnEmptyEntryIsNoLogin(t *testing.T) {
	writeDocker(t, `{"auths":{"registry.test/a":{},"registry.test":{"username":"dora","password":"s3cret"}}}`)
	l, err := Credentials{}.pick(Reference{Host: "registry.test", Repository: "a/b"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := l.credential(t.Context(), "registry.test"); err != nil || got.Username != "dora" {
		t.Errorf("%q, %v", got.Username, err)
	}
}

// TestWhatIsWrongWithDockersLogin is told where a registry asks for a login, without the secret, and nothing of it where none does.
func TestWhatIsWrongWithDockersLogin(t *testing.T) {
	base := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for name, c := range map[string]struct {
		config string // empty for no file; "none" for no directory
		says   string
		hint   string
	}{
		"no directory":      {"none", `401: a login is needed, and Docker's configuration (DOCKER_CONFIG) is to be in `, "set username and password"},
		"no file":           {"", "401: a login is needed, none was given", "DOCKER_CONFIG"},
		"no entry":          {`{"auths":{"other.test":{"auth":"` + base("dora:s3cret") + `"}}}`, "401: a login is needed, none was given", "DOCKER_CONFIG"},
		"an empty entry":    {`{"auths":{"registry.test":{}}}`, "401: a login is needed, none was given", "DOCKER_CONFIG"},
		"store":             {`{"credsStore":"nobody-has-this"}`, `401: a login is needed, and Docker's configuration (DOCKER_CONFIG) leaves the login to the program "docker-credential-nobody-has-this", which is not installed here`, "set username and password"},
		"helper":            {`{"credHelpers":{"registry.test":"nobody-has-this"}}`, `401: a login is needed, and Docker's configuration (DOCKER_CONFIG) leaves the login to the program "docker-credential-nobody-has-this"`, ""},
		"another's helper":  {`{"credHelpers":{"other.test":"nobody-has-this"}}`, "401: a login is needed, none was given", ""},
		"no user":           {`{"auths":{"registry.test":{"auth":"` + base(":s3cret") + `"}}}`, `401: a login is needed, and Docker's configuration (DOCKER_CONFIG) has a password without a user name in its entry "registry.test"`, "mend the configuration"},
		"no user of a path": {`{"auths":{"registry.test/acme":{"password":"s3cret"}}}`, `401: a login is needed, and Docker's configuration (DOCKER_CONFIG) has a password without a user name in its entry "registry.test/acme"`, ""},
		"no password":       {`{"auths":{"registry.test":{"auth":"` + base("dora:") + `"}}}`, `401: a login is needed, and Docker's configuration (DOCKER_CONFIG) has a user name without a password in its entry "registry.test"`, ""},
		"no colon":          {`{"auths":{"registry.test":{"auth":"` + base("s3cret") + `"}}}`, `401: a login is needed, and Docker's configuration (DOCKER_CONFIG) has no login in its entry "registry.test"`, ""},
		"no base64":         {`{"auths":{"registry.test":{"auth":"dora:s3cret"}}}`, `401: a login is needed, and Docker's configuration (DOCKER_CONFIG) has no login in its entry "registry.test"`, ""},
		"no object":         {`{"auths":{"registry.test":"s3cret"}}`, `401: a login is needed, and Docker's configuration (DOCKER_CONFIG) has no login in its entry "registry.test"`, ""},
	} {
		for scheme, header := range map[string]string{"Basic": `Basic realm="x"`, "Bearer": `Bearer realm="https://registry.test/token"`} {
			if scheme == "Bearer" && strings.HasSuffix(c.says, "none was given") {
				continue // then a token is asked for without a login
			}
			t.Run(name+" "+scheme, func(t *testing.T) {
				asks := true
				base := openCanned(t, roundTrip(func(req *http.Request) (*http.Response, error) {
					answer := canned{http.StatusOK, "application/json", `{"tags":["a"]}`}
					if asks {
						answer = canned{status: http.StatusUnauthorized}
					}
					resp, err := answer.RoundTrip(req)
					resp.Header.Set("WWW-Authenticate", header)
					return resp, err
				}), Options{})
				switch c.config {
				case "none":
					t.Setenv("DOCKER_CONFIG", filepath.Join(t.TempDir(), "gone"))
				case "":
					t.Setenv("DOCKER_CONFIG", t.TempDir())
				default:
					writeDocker(t, c.config)
				}
				r, err := OpenRegistry(base.ref, base.o)
				if err != nil {
					t.Fatal(err)
				}
				_, err = allTags(t, r)
				checkHint(t, err, c.says, c.hint)
				asks = false
				if tags, err := allTags(t, r); err != nil || len(tags) != 1 {
					t.Errorf("where no login is needed: %q, %v", tags, err)
				}
			})
		}
	}
}

// TestNoDockerConfiguration: in the place where it is by default, it need not be.
func TestNoDockerConfiguration(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	for _, dir := range []string{"", filepath.Join(home, ".docker")} {
		t.Setenv("DOCKER_CONFIG", dir)
		l, err := Credentials{}.pick(Reference{Host: "registry.test", Repository: "a/b"})
		if err != nil {
			t.Fatal(err)
		}
		if c, err := l.credential(t.Context(), "registry.test"); err != nil || c != auth.EmptyCredential {
			t.Errorf("DOCKER_CONFIG=%s: %v, %v", dir, c, err)
		}
	}
}

// TestDockersHelper runs one: its login counts, its failure is told in its words, and what it does not know is nobody's.
func TestDockersHelper(t *testing.T) {
	for name, c := range map[string]struct{ script, user, says string }{
		"login":        {`echo '{"ServerURL":"registry.test","Username":"hanna","Secret":"s3cret"}'`, "hanna", ""},
		"not found":    {`echo "credentials not found in native keychain"; exit 1`, "", ""},
		"fails":        {`echo "the keychain is locked"; exit 1`, "", `which fails: "the keychain is locked"`},
		"without user": {`echo '{"Secret":"s3cret"}'`, "", `a password without a user name in what "docker-credential-test" gives`},
	} {
		t.Run(name, func(t *testing.T) {
			writeDocker(t, `{"credsStore":"test","auths":{"registry.test":{}}}`)
			bin := t.TempDir()
			t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			if err := os.WriteFile(filepath.Join(bin, "docker-credential-test"), []byte("#!/bin/sh\ncat >/dev/null\n"+c.script+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			l, err := Credentials{}.pick(Reference{Host: "registry.test", Repository: "a/b"})
			if err != nil {
				t.Fatal(err)
			}
			got, err := l.credential(t.Context(), "registry.test")
			if got.Username != c.user || (err == nil) != (c.says == "") || err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "s3cret")) {
				t.Errorf("%q, %v", got.Username, err)
			}
		})
	}
}
