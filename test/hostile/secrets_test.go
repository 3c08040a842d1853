package hostile

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/test/internet"
	"github.com/oci-promote/oci-promote/test/programtest"
)

// What a run has that nobody else may see. Each sign of the password is written in another way somewhere.
const (
	username = "robot"
	password = `p@ss/w+rd=%:"\ü!<&>`
	bearer   = "eyJ0.bear+er/token~0123456789=="
	refresh  = "refresh+token/0123456789"
)

const (
	registryURL = "https://" + registryHost
	authHost    = "auth.example"
	evilHost    = "evil.example"
)

func basic() string { return base64.StdEncoding.EncodeToString([]byte(username + ":" + password)) }

// guarded lets in whoever has the bearer token, and sends all others to realm.
func guarded(realm, scope string) func(http.ResponseWriter, *http.Request) bool {
	who := challenge(fmt.Sprintf(`Bearer realm="%s",service="%s",scope="%s"`, realm, registryHost, scope))
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") == "Bearer "+bearer {
			return false
		}
		r.Header.Del("Authorization")
		return who(w, r)
	}
}

// gives is a token service.
func gives(w http.ResponseWriter, _ *http.Request) {
	_, _ = fmt.Fprintf(w, `{"token":%q,"access_token":%[1]q,"refresh_token":%q,"expires_in":300}`, bearer, refresh)
}

// tokenAt guards a registry that has a token service of its own, and sends to realm.
func tokenAt(realm string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/token" {
			gives(w, r)
			return true
		}
		return guarded(realm, "")(w, r)
	}
}

// tempts is a host that asks for a login, in one way and then in the other.
func tempts(w http.ResponseWriter, r *http.Request) {
	header := `Basic realm="evil"`
	if strings.Contains(r.URL.Path, "bearer") {
		header = `Bearer realm="https://` + evilHost + `/token",service="x"`
	}
	challenge(header)(w, r)
}

// ourSecrets are the secrets of a run that has a login for registry.example with tokens from auth.example.
func ourSecrets() []secret {
	return []secret{
		{"password", password, []string{"https://" + authHost, registryURL}},
		{"bearer token", bearer, []string{registryURL}},
		{"GitHub token", apiToken, []string{"https://" + apiHost}},
	}
}

var login = []string{"INPUT_USERNAME=" + username, "INPUT_PASSWORD=" + password}

// shown is all that a step leaves for people and for later steps.
func (s step) shown(t *testing.T) string {
	t.Helper()
	parts := []string{s.Stdout, s.Stderr}
	for _, name := range runnerFiles {
		parts = append(parts, s.file(t, name))
	}
	return strings.Join(append(parts, s.issues()...), "\n")
}

// keeps fails the test where a secret has left its place.
func (s step) keeps(t *testing.T, secrets []secret) {
	t.Helper()
	s.check(t)
	for _, leak := range s.leaks(secrets, s.shown(t)) {
		t.Error(leak)
	}
	if t.Failed() {
		t.Logf("exit status %d\n%s%s", s.Code, s.Stdout, s.Stderr)
	}
}

// visited tells how often a host was asked.
func (s step) visited(host string) (n int) {
	for _, r := range s.asked {
		if r.Host == host {
			n++
		}
	}
	return n
}

var allModes = []string{"build", "tag", "verify"}

func (w *world) event(t *testing.T, mode string) []string {
	t.Helper()
	if mode != "tag" {
		return nil
	}
	return programtest.StatusOf(t, programtest.CommitB, "kustomization/platform/0.0.2-rc.2@"+w.digestB, "success")
}

// TestRealms: a registry says where a token is to be had. Not every place gets the login.
func TestRealms(t *testing.T) {
	for _, c := range []struct{ name, realm, refused string }{
		{"another host over HTTPS", "https://" + authHost + "/token", ""},
		{"its own", registryURL + "/token", ""},
		{"another host in the clear", "http://" + authHost + "/token", "auth.example over plain HTTP"},
		{"its own in the clear", "http://" + registryHost + "/token", "registry.example over plain HTTP"},
		{"with a login", "https://x:y@" + authHost + "/token", "with a login in it"},
		{"a file", "file:///etc/passwd", "which is no address"},
		{"another scheme", "gopher://" + authHost, "which is no address"},
		{"none", "", "which is no address"},
		{"a path", "/token", "which is no address"},
		{"no host", "https:///token", "which is no address"},
		{"hostile", "::error::FORGED##[error]FORGED<b>", "which is no address"},
	} {
		for _, mode := range allModes {
			t.Run(mode+" "+c.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, nil)
				w.intercept = tokenAt(c.realm)
				w.Play(authHost, http.HandlerFunc(gives))
				s := w.run(t, workspace(t), mode, append(w.event(t, mode), login...)...)
				s.keeps(t, ourSecrets())
				if c.refused == "" {
					if strings.Contains(s.Stdout, "401") || !strings.Contains(s.Stdout, "0.0.2-rc.") {
						t.Errorf("the token did not open the registry\n%s", s.Stdout)
					}
					return
				}
				if !strings.Contains(s.Stdout, c.refused) || !strings.Contains(s.Stdout, "no login was sent there") || s.visited(authHost) > 0 {
					t.Errorf("not refused with %q, %d visits\n%s", c.refused, s.visited(authHost), s.Stdout)
				}
			})
		}
	}
	t.Run("of a registry in the clear, another host in the clear", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil)
		w.intercept = guarded("http://"+authHost+"/token", "")
		w.Play(authHost, http.HandlerFunc(gives))
		s := w.run(t, workspace(t), "build", append(login, "INPUT_PLAIN-HTTP=true")...)
		s.keeps(t, ourSecrets())
		if s.Code != 1 || s.visited(authHost) > 0 || !strings.Contains(s.Stdout, "auth.example over plain HTTP") {
			t.Errorf("exit status %d, %d visits\n%s", s.Code, s.visited(authHost), s.Stdout)
		}
	})
}

// TestScopes: a challenge that asks for more does not get it.
func TestScopes(t *testing.T) {
	const greedy = "repository:other/secret:pull,push registry:catalog:* repository:acme/fleet:pull,push,delete,* repository:acme/fleet/x:push"
	for mode, want := range map[string]string{
		"build": "repository:acme/fleet:pull,push", "tag": "repository:acme/fleet:pull,push", "verify": "repository:acme/fleet:pull",
		"build dry": "repository:acme/fleet:pull", "tag dry": "repository:acme/fleet:pull",
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.intercept = guarded("https://"+authHost+"/token", greedy)
			var asked []string
			w.Play(authHost, http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
				asked = append(asked, strings.Join(r.URL.Query()["scope"], " "))
				gives(out, r)
			}))
			env := login
			mode, dry := strings.CutSuffix(mode, " dry")
			if dry {
				env = append(env[:2:2], "INPUT_DRY-RUN=true")
			}
			s := w.run(t, workspace(t), mode, append(w.event(t, mode), env...)...)
			s.keeps(t, ourSecrets())
			if len(asked) != 1 || asked[0] != want {
				t.Errorf("asked for %q, want %q once", asked, want)
			}
		})
	}
}

// TestRedirects: whoever is redirected to takes part in nothing secret, however it asks.
func TestRedirects(t *testing.T) {
	statuses := []int{302, 307}
	if *programtest.Long {
		statuses = []int{301, 302, 303, 307, 308}
	}
	for _, request := range []string{"GET /tags/list", "HEAD /manifests/", "GET /manifests/", "POST /blobs/uploads/", "PUT /blobs/uploads/", "PUT /manifests/", "GET /token", "HEAD /blobs/"} {
		for _, status := range statuses {
			for _, way := range []string{"basic", "bearer"} {
				t.Run(fmt.Sprintf("%s %d %s", request, status, way), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, nil)
					method, path, _ := strings.Cut(request, " ")
					redirect := func(out http.ResponseWriter, r *http.Request) bool {
						if r.Method != method || !strings.Contains(r.URL.Path, path) {
							return false
						}
						out.Header().Set("Location", "https://"+evilHost+"/"+way)
						out.WriteHeader(status)
						return true
					}
					w.intercept = func(out http.ResponseWriter, r *http.Request) bool {
						return guarded("https://"+authHost+"/token", "")(out, r) || redirect(out, r)
					}
					w.Play(authHost, http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
						if !redirect(out, r) {
							gives(out, r)
						}
					}))
					w.Play(evilHost, http.HandlerFunc(tempts))
					mode := "build"
					if request == "HEAD /blobs/" {
						mode = "verify"
					}
					w.run(t, workspace(t), mode, login...).keeps(t, ourSecrets())
				})
			}
		}
	}
	for _, c := range []struct{ name, request, status, header string }{
		{"upload elsewhere", "POST /blobs/uploads/", "202", "Location: https://" + evilHost + "/basic"},
		{"upload elsewhere, without a scheme", "POST /blobs/uploads/", "202", "Location: //" + evilHost + "/basic"},
		{"upload on another port", "POST /blobs/uploads/", "202", "Location: " + registryURL + ":8443/basic"},
		{"upload in the clear", "POST /blobs/uploads/", "202", "Location: http://" + registryHost + "/basic"},
		{"next page elsewhere", "GET /tags/list", "200", "Link: <https://" + evilHost + "/basic>; rel=\"next\""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			method, path, _ := strings.Cut(c.request, " ")
			w.intercept = func(out http.ResponseWriter, r *http.Request) bool {
				if guarded("https://"+authHost+"/token", "")(out, r) {
					return true
				}
				if r.Method != method || !strings.Contains(r.URL.Path, path) || r.URL.Scheme != "https" {
					return false
				}
				internet.Raw(out, "HTTP/1.1 "+c.status+" x\r\n"+c.header+"\r\nContent-Type: application/json\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{\"tags\":[]}")
				return true
			}
			w.Play(authHost, http.HandlerFunc(gives))
			w.Play(evilHost, http.HandlerFunc(tempts))
			w.Play(registryHost+":8443", http.HandlerFunc(tempts))
			w.run(t, workspace(t), "build", login...).keeps(t, ourSecrets())
		})
	}
}

// echoes are the ways in which a server shows what it was told.
var echoes = map[string]func(header, said string) (status int, body string){
	"JSON": func(header, said string) (int, string) {
		blob, _ := json.Marshal("you sent " + header + " that is " + said)
		return 403, fmt.Sprintf(`{"errors":[{"code":"DENIED","message":%s}],"message":%[1]s,"details":%[1]s}`, blob)
	},
	"plain": func(header, said string) (int, string) {
		return 500, "GET / HTTP/1.1\nAuthorization: " + header + "\n" + said
	},
	"HTML": func(header, said string) (int, string) { return 502, "x" + html.EscapeString(header+" "+said) },
	"URL": func(header, said string) (int, string) {
		return 401, "http://x/?" + url.QueryEscape(said) + "&" + url.PathEscape(said)
	},
	"again": func(header, said string) (int, string) {
		return 403, base64.URLEncoding.EncodeToString([]byte("x"+said)) + " " + fmt.Sprintf("%x %q", said, said)
	},
	"at the cut": func(header, said string) (int, string) {
		return 403, strings.Repeat("x", 380) + " " + said + " " + header
	},
	"at the end": func(header, said string) (int, string) { // of a line: some of many is cut through
		blob, _ := json.Marshal(strings.Repeat("x", 1700) + strings.Repeat(" "+said[strings.Index(said, ":")+1:], 20))
		return 403, fmt.Sprintf(`{"errors":[{"code":"DENIED","message":%s}],"message":%[1]s}`, blob)
	},
	"invisible": func(_, said string) (int, string) { return 403, strings.Join(strings.Split(said, ""), "\u200b") },
}

func echoing(how string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		header := r.Header.Get("Authorization")
		_, said, _ := strings.Cut(header, " ")
		if decoded, err := base64.StdEncoding.DecodeString(said); err == nil && strings.HasPrefix(header, "Basic") {
			said = string(decoded)
		}
		status, body := echoes[how](header, said)
		if strings.HasPrefix(body, "{") {
			w.Header().Set("Content-Type", "application/json")
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// TestEchoes: a server that shows the request in its error does not get the login into a log.
func TestEchoes(t *testing.T) {
	for how := range echoes {
		for _, who := range []string{"registry with a token", "registry with a password", "token service", "GitHub", "GitHub that counts"} {
			t.Run(who+" "+how, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, nil)
				echo := echoing(how)
				mode, env, hosts := "verify", login, map[string]http.Handler{authHost: http.HandlerFunc(gives)}
				switch who {
				case "registry with a token":
					w.intercept = func(out http.ResponseWriter, r *http.Request) bool {
						if !guarded("https://"+authHost+"/token", "")(out, r) {
							echo(out, r)
						}
						return true
					}
				case "registry with a password":
					w.intercept = func(out http.ResponseWriter, r *http.Request) bool {
						if !challenge(`Basic realm="x"`)(out, r) {
							echo(out, r)
						}
						return true
					}
				case "token service":
					w.intercept = guarded("https://"+authHost+"/token", "")
					hosts[authHost] = echo
				case "GitHub":
					hosts[apiHost] = echo
				case "GitHub that counts":
					hosts[apiHost], mode = echo, "build"
				}
				for host, handler := range hosts {
					w.Play(host, handler)
				}
				s := w.run(t, workspace(t), mode, append(env[:2:2], "INPUT_RETRY-FOR=300ms")...)
				s.keeps(t, ourSecrets())
				for _, r := range []string{"GitHub token", "password"} {
					if r == "GitHub token" == (who == "GitHub") && s.visited(apiHost)+s.visited(registryHost) == 0 {
						t.Error("nobody was asked")
					}
				}
			})
		}
	}
	t.Run("status line", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil)
		w.intercept = func(out http.ResponseWriter, r *http.Request) bool {
			if !challenge(`Basic realm="x"`)(out, r) {
				internet.Raw(out, "HTTP/1.1 503 "+r.Header.Get("Authorization")+" "+password+"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			}
			return true
		}
		w.run(t, workspace(t), "build", append(login[:2:2], "INPUT_RETRY-FOR=600ms")...).keeps(t, ourSecrets())
	})
	t.Run("what is no error", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, map[string]string{"registry.tags": password, "manifest.source": password, "manifest.layer": password, "run.name": password + apiToken,
			"status.description": "x " + apiToken, "status.state": "failure", "step.name": apiToken, "run.url": "https://github.com/" + apiToken})
		w.run(t, workspace(t), "verify", login...).keeps(t, ourSecrets())
	})
}

// TestWhoseLogin: which host gets which secret.
func TestWhoseLogin(t *testing.T) {
	docker := func(t *testing.T, host, entry string) string {
		dir := t.TempDir()
		programtest.Write(t, filepath.Join(dir, "config.json"), fmt.Sprintf(`{"auths":{%q:%s}}`, host, entry))
		return "DOCKER_CONFIG=" + dir
	}
	auth := fmt.Sprintf(`{"auth":%q}`, basic())
	github := func(hosts ...string) []secret {
		return []secret{{"GitHub token", apiToken, append(hosts, "https://"+apiHost)}}
	}
	pass := func(hosts ...string) []secret {
		return append([]secret{{"password", password, hosts}, {"bearer token", bearer, hosts}}, github()...)
	}
	for _, c := range []struct {
		name    string
		env     func(t *testing.T) []string
		secrets []secret
		realm   string
		visits  map[string]bool // host: whether it is asked at all
		says    string
	}{
		{"the GitHub token goes to ghcr.io", func(*testing.T) []string { return []string{"INPUT_REPOSITORY=ghcr.io/acme/fleet"} }, github("https://ghcr.io"), "https://ghcr.io/token", map[string]bool{"ghcr.io": true}, "created"},
		{"and not where ghcr.io sends it", func(*testing.T) []string { return []string{"INPUT_REPOSITORY=ghcr.io/acme/fleet"} }, github("https://ghcr.io"), "https://evil.example/token", map[string]bool{"ghcr.io": true, evilHost: false}, "evil.example, which is not ghcr.io"},
		{"nor in the clear", func(*testing.T) []string {
			return []string{"INPUT_REPOSITORY=ghcr.io/acme/fleet", "INPUT_PLAIN-HTTP=true"}
		}, github("https://ghcr.io"), "http://ghcr.io/token", map[string]bool{"ghcr.io": false}, "plain-http: ghcr.io speaks HTTPS"},
		{"nor from an Enterprise server", func(*testing.T) []string {
			return []string{"INPUT_REPOSITORY=ghcr.io/acme/fleet", "GITHUB_SERVER_URL=https://ghes.example", "GITHUB_API_URL=https://ghes.example/api/v3"}
		}, []secret{{"GitHub token", apiToken, []string{"https://ghes.example"}}}, "https://ghcr.io/token", map[string]bool{"ghcr.io": true, "ghes.example": true, apiHost: false}, "ghcr.io"},
		{"nor to another registry", func(*testing.T) []string { return nil }, github(), "https://" + authHost + "/token", map[string]bool{registryHost: true}, ""},
		{"the password goes to its registry", func(*testing.T) []string { return login }, pass(registryURL, "https://"+authHost), "https://" + authHost + "/token", map[string]bool{authHost: true}, "created"},
		{"Docker's login goes to its host", func(t *testing.T) []string { return []string{docker(t, registryHost, auth)} }, pass(registryURL, "https://"+authHost), "https://" + authHost + "/token", map[string]bool{authHost: true}, "created"},
		{"and to no other", func(t *testing.T) []string { return []string{docker(t, "other.example", auth)} }, []secret{{"password", password, nil}}, "https://" + authHost + "/token", nil, ""},
		{"Docker's identity token", func(t *testing.T) []string {
			return []string{docker(t, registryHost, fmt.Sprintf(`{"auth":%q,"identitytoken":%q}`, base64.StdEncoding.EncodeToString([]byte("x:")), refresh))}
		}, append(pass(registryURL), secret{"refresh token", refresh, []string{"https://" + authHost}}), "https://" + authHost + "/token", map[string]bool{authHost: true}, "created"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.intercept = tokenAt(c.realm)
			w.Play("ghcr.io", w.Host(registryHost))
			w.Play("ghes.example", http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
				r.URL.Path = strings.TrimPrefix(r.URL.Path, "/api/v3")
				w.serveGitHub(out, r)
			}))
			for _, host := range []string{authHost, evilHost} {
				w.Play(host, http.HandlerFunc(gives))
			}
			w.said = map[string]string{"compare.status": "behind"}
			s := w.run(t, workspace(t), "build", c.env(t)...)
			s.keeps(t, c.secrets)
			if !strings.Contains(s.Stdout, c.says) {
				t.Errorf("%q is not said\n%s", c.says, s.Stdout)
			}
			for host, want := range c.visits {
				if n := s.visited(host); n > 0 != want {
					t.Errorf("%d visits of %s\n%s", n, host, s.Stdout)
				}
			}
		})
	}
	for _, mode := range []string{"build", "verify"} {
		t.Run("a GitHub that moved, "+mode, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.Play(apiHost, http.RedirectHandler("https://"+evilHost+"/basic", http.StatusMovedPermanently))
			w.Play(evilHost, http.HandlerFunc(tempts))
			s := w.run(t, workspace(t), mode, login...)
			s.keeps(t, ourSecrets())
		})
	}
	t.Run("pages elsewhere", func(t *testing.T) { // they are counted, and not read
		t.Parallel()
		w := newWorld(t, map[string]string{"commit.link": `<https://` + evilHost + `/basic?page=2>; rel="next", <https://` + evilHost + `/basic?page=3>; rel="last"`})
		w.Play(evilHost, http.HandlerFunc(tempts))
		s := w.run(t, workspace(t), "build", login...)
		s.keeps(t, ourSecrets())
		if s.Code != 0 || s.visited(evilHost) > 0 || !strings.Contains(s.Stdout, "created 0.0.2-rc.3") {
			t.Errorf("exit status %d, %d visits\n%s", s.Code, s.visited(evilHost), s.Stdout)
		}
	})
}

// TestMisplaced: a secret in a wrong place is not repeated.
func TestMisplaced(t *testing.T) {
	const other = "hunter2hunter2"
	all := append(ourSecrets(), secret{"misplaced password", other, nil})
	for name, env := range map[string][]string{
		"a URL as repository":          {"INPUT_REPOSITORY=https://robot:" + other + "@registry.example/acme/fleet"},
		"oci and a login":              {"INPUT_REPOSITORY=oci://robot:" + other + "@registry.example/acme/fleet"},
		"a login":                      {"INPUT_REPOSITORY=robot:" + other + "@registry.example/acme/fleet"},
		"a login with a slash":         {"INPUT_REPOSITORY=robot:x/" + other + "@registry.example/acme/fleet"},
		"a URL and a slash":            {"INPUT_REPOSITORY=https://robot:x/" + other + "@registry.example/acme/fleet"},
		"a login of one word":          {"INPUT_REPOSITORY=" + other + "@registry.example/acme/fleet"},
		"the token as repository":      {"INPUT_REPOSITORY=" + apiToken, "INPUT_TOKEN="},
		"the token as path":            {"INPUT_PATH=" + apiToken, "INPUT_TOKEN="},
		"the password as version":      {"INPUT_BUMP=" + password, "INPUT_PASSWORD=" + password, "INPUT_USERNAME=x"},
		"the password as a constraint": {"INPUT_LIVE-SEMVER=" + password, "INPUT_PASSWORD=" + password, "INPUT_USERNAME=x"},
		"a login in the source":        {"INPUT_SOURCE=https://robot:" + other + "@github.com/acme/fleet"},
		"a login in the API's URL":     {"GITHUB_API_URL=https://robot:" + other + "@x y/"},
		"a login of the proxy":         {"HTTPS_PROXY=http://robot:" + other + "@127.0.0.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			s := w.run(t, workspace(t), "build", env...)
			s.keeps(t, all)
			if s.Code != 1 {
				t.Errorf("exit status %d\n%s", s.Code, s.Stdout)
			}
		})
	}
}
