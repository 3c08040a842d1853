package oci

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestOneTokenForAllThatBegins: requests that begin at once cost one refusal and one token, and run beside each other as
// soon as that is there.
func TestOneTokenForAllThatBegins(t *testing.T) {
	const atOnce = 4
	var refused, tokens, beside atomic.Int32
	together := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/token":
			tokens.Add(1)
			time.Sleep(20 * time.Millisecond)
			_, _ = fmt.Fprint(w, `{"token":"t"}`)
		case r.Header.Get("Authorization") == "":
			refused.Add(1)
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/token",service="s"`)
			w.WriteHeader(http.StatusUnauthorized)
		default:
			if beside.Add(1) == atOnce {
				close(together)
			}
			select { // all of them are here, the first too
			case <-together:
			case <-time.After(10 * time.Second):
				w.WriteHeader(http.StatusTeapot)
				return
			}
			_, _ = fmt.Fprint(w, `{"name":"acme/fleet","tags":["a"]}`)
		}
	}))
	defer s.Close()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	r := openAt(t, s.URL, Options{})
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			if tags, err := allTags(t, r); err != nil || len(tags) != 1 {
				t.Errorf("tags %q, %v", tags, err)
			}
		})
	}
	wg.Wait()
	if refused.Load() != 1 || tokens.Load() != 1 {
		t.Errorf("%d refusals and %d tokens, want one of each", refused.Load(), tokens.Load())
	}
}

// TestAWrongPasswordIsSentOnce: of requests that begin at once, the first finds out that the login is refused, and the others
// take its word: a registry that locks an account after some attempts counts each.
func TestAWrongPasswordIsSentOnce(t *testing.T) {
	var tokens atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/token" {
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/token",service="s"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		tokens.Add(1)
		time.Sleep(20 * time.Millisecond)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprint(w, `{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}`)
	}))
	defer s.Close()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	r := openAt(t, s.URL, Options{Credentials: Credentials{Username: "robot", Password: "wrong"}})
	said := make([]string, 4)
	var wg sync.WaitGroup
	for i := range said {
		wg.Go(func() { _, err := allTags(t, r); said[i] = fmt.Sprint(err) })
	}
	wg.Wait()
	for _, text := range said {
		if !strings.Contains(text, "401") || !strings.Contains(text, "wrong password") || !strings.Contains(text, "for a token") || text != said[0] {
			t.Errorf("it says %q", text)
		}
	}
	if tokens.Load() != 1 {
		t.Errorf("the password was sent %d times, want once", tokens.Load())
	}
}

// TestTheGateOpensWithoutAToken: where the first request fails, or needs no token, the others go on.
func TestTheGateOpensWithoutAToken(t *testing.T) {
	for _, answer := range []canned{{200, "", `{"name":"acme/fleet","tags":["a"]}`}, {500, "", "down"}} {
		r := openCanned(t, answer, Options{})
		for range 3 {
			if _, err := allTags(t, r); (err == nil) != (answer.status == 200) {
				t.Errorf("%d: %v", answer.status, err)
			}
		}
	}
}
