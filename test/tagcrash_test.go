package test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

// kills are the ways in which a process can be killed at a request.
var kills = map[string]func(kill func()) registrytest.Interceptor{
	"killed before it": func(kill func()) registrytest.Interceptor {
		return func(_ http.ResponseWriter, _ *http.Request, _ int, _ http.Handler) {
			kill()
			panic(http.ErrAbortHandler)
		}
	},
	"killed after it took effect": func(kill func()) registrytest.Interceptor {
		return func(_ http.ResponseWriter, r *http.Request, _ int, next http.Handler) {
			next.ServeHTTP(httptest.NewRecorder(), r)
			kill()
			panic(http.ErrAbortHandler)
		}
	},
}

// crash is the fault or the kill of that name.
func crash(name string, kill func()) registrytest.Interceptor {
	if fault, ok := faults[name]; ok {
		return fault
	}
	return kills[name](kill)
}

// TestEveryRequestOfAPromotionFails lets each single request of a promotion, with a rescue due after it, fail in
// four ways, and kills the process at each (promises 1, 5 and 9). The run fails with a clear error; no stable tag has
// moved; one clean run of the same event then reaches the tags of an undisturbed promotion.
func TestEveryRequestOfAPromotionFails(t *testing.T) {
	for _, c := range slices.Concat(slices.Sorted(maps.Keys(faults)), slices.Sorted(maps.Keys(kills))) {
		t.Run(c, func(t *testing.T) {
			t.Parallel()
			s := registrytest.Start(t, registrytest.Options{Token: true})
			a := buildFor(t, s, commitA, 0)
			b := buildFor(t, s, commitB, 1)
			want := map[string]string{"validated-aaaaaaa": a.digest, "0.0.1": a.digest, "0.0.2-rc.0": b.digest}
			maps.Copy(want, s.Tags(fleet))
			disturb(t, s, c, want, a.boundStatus(t))
		})
	}
}

// The same for a rollback by hand, in two of the ways: after any crash, next is the same version again (promise 6).
func TestEveryRequestOfARollbackFails(t *testing.T) {
	for _, c := range []string{"lost after it took effect", "killed before it"} {
		t.Run(c, func(t *testing.T) {
			t.Parallel()
			s := registrytest.Start(t, registrytest.Options{Token: true})
			a := buildFor(t, s, commitA, 0)
			tagOnce(t, s, a.boundStatus(t))
			b := buildFor(t, s, commitB, 1)
			tagOnce(t, s, b.boundStatus(t))
			buildFor(t, s, commitC, 2) // in flight: 0.0.3-rc.1
			want := map[string]string{"0.0.4": a.digest}
			maps.Copy(want, s.Tags(fleet))
			disturb(t, s, c, want, nil, "--digest", a.digest, "--version", "next")
		})
	}
}

// disturb runs mode tag once for each request of it, on a copy of the repository, and lets it end there by c.
func disturb(t *testing.T, s *registrytest.Server, c string, want map[string]string, env []string, flags ...string) {
	t.Helper()
	begin := s.Tags(fleet)
	run := func(copied string, kill *killer) result {
		return kill.program(t, s, env, append(flags, "--repository", s.Host+"/"+copied)...)
	}
	s.Copy(fleet, fleet+"-undisturbed")
	s.Reset()
	r := run(fleet+"-undisturbed", newKiller())
	if got := s.Tags(fleet + "-undisturbed"); r.code != 0 || !maps.Equal(got, want) {
		t.Fatalf("an undisturbed run leaves %v, want %v\n%s", got, want, r.stderr)
	}
	requests := s.Requests()
	for n := range requests {
		copied := fleet + "-" + strconv.Itoa(n)
		cell := fmt.Sprintf("request %d, %s %s, %s", n, requests[n].Method, requests[n].Path, c)
		s.Copy(fleet, copied)
		kill := newKiller()
		j := keep(s, new(journal), from(n, crash(c, kill.kill)))
		s.Reset()
		r := run(copied, kill)
		checkCrash(t, cell, s, r, kill)
		if got := s.Tags(copied); r.code == 0 && !maps.Equal(got, want) {
			t.Errorf("%s: the run succeeds and leaves %v, want %v", cell, got, want)
		}
		moved := moves(j.all())
		j = keep(s, new(journal), nil)
		if r := run(copied, newKiller()); r.code != 0 {
			t.Errorf("%s: the next run: %s", cell, r.stderr)
		}
		got := s.Tags(copied)
		if moved = append(moved, moves(j.all())...); len(moved) > 0 || !maps.Equal(got, want) {
			t.Errorf("%s: tags %v, want %v, from %v; %q", cell, got, want, begin, moved)
		}
	}
	t.Logf("%d requests, each of them %s", len(requests), c)
}

// checkCrash: a run that was not killed says what went wrong, and no secret.
func checkCrash(t *testing.T, cell string, s *registrytest.Server, r result, kill *killer) {
	t.Helper()
	said := r.stdout + r.stderr
	if strings.Contains(said, s.Password) || strings.Contains(said, "panic") || strings.Contains(said, "goroutine ") {
		t.Errorf("%s: it says %q", cell, said)
	}
	switch killed := len(kill.done) > 0; {
	case killed && r.code == -1, r.code == 0:
	case r.code != 1 || !strings.HasPrefix(said, "oci-promote: ") && !strings.Contains(said, "\noci-promote: "):
		t.Errorf("%s: exit status %d, it says %q", cell, r.code, said)
	}
}

// killer kills the process that it runs, from within a request of that process.
type killer struct {
	process chan *os.Process // holds it once it runs
	done    chan struct{}    // holds one when it was killed
}

func newKiller() *killer { return &killer{make(chan *os.Process, 1), make(chan struct{}, 100)} }

func (k *killer) kill() {
	p := <-k.process
	k.done <- struct{}{}
	_ = p.Kill() // it may have ended a moment ago, when several requests were under way
	k.process <- p
}

// program is a run of mode tag.
func (k *killer) program(t *testing.T, s *registrytest.Server, env []string, flags ...string) result {
	t.Helper()
	var stdout, stderr strings.Builder
	cmd := startTag(t, s, &stdout, &stderr, env, flags...)
	k.process <- cmd.Process
	_ = cmd.Wait() // the exit status tells
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// TestKiller: the process ends at that request, and what the request did stays.
func TestKiller(t *testing.T) {
	s := registrytest.Start(t, registrytest.Options{Token: true})
	a := buildFor(t, s, commitA, 0)
	before := s.Tags(fleet)
	kill := newKiller()
	keep(s, new(journal), registrytest.On("PUT", "/manifests/validated-", crash("killed after it took effect", kill.kill)))
	r := kill.program(t, s, a.boundStatus(t))
	before["validated-aaaaaaa"] = a.digest
	if got := s.Tags(fleet); r.code != -1 || !maps.Equal(got, before) {
		t.Errorf("exit status %d, tags %v, want %v\n%s", r.code, got, before, r.stderr)
	}
}
