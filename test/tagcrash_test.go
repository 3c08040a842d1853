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

	"github.com/oci-promote/oci-promote/test/programtest"
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
			a := programtest.BuildFor(t, s, commitA, 0)
			b := programtest.BuildFor(t, s, commitB, 1)
			want := map[string]string{"validated-aaaaaaa": a.Digest, "0.0.1": a.Digest, "0.0.2-rc.2": b.Digest}
			maps.Copy(want, s.Tags(fleet))
			disturb(t, s, c, want, a.BoundStatus(t))
		})
	}
}

// The same for a rollback by hand, in two of the ways: after any crash, next is the same version again (promise 6).
func TestEveryRequestOfARollbackFails(t *testing.T) {
	for _, c := range []string{"lost after it took effect", "killed before it"} {
		t.Run(c, func(t *testing.T) {
			t.Parallel()
			s := registrytest.Start(t, registrytest.Options{Token: true})
			a := programtest.BuildFor(t, s, commitA, 0)
			programtest.TagOnce(t, s, a.BoundStatus(t))
			b := programtest.BuildFor(t, s, commitB, 1)
			programtest.TagOnce(t, s, b.BoundStatus(t))
			programtest.BuildFor(t, s, commitC, 2) // in flight: 0.0.3-rc.3
			want := map[string]string{"0.0.4": a.Digest}
			maps.Copy(want, s.Tags(fleet))
			disturb(t, s, c, want, nil, "--digest", a.Digest, "--version", "next")
		})
	}
}

// disturb runs mode tag once for each request of it, on a copy of the repository, and lets it end there by c.
func disturb(t *testing.T, s *registrytest.Server, c string, want map[string]string, env []string, flags ...string) {
	t.Helper()
	begin := s.Tags(fleet)
	run := func(copied string, kill *killer) programtest.Result {
		return kill.program(t, s, env, append(flags, "--repository", s.Host+"/"+copied)...)
	}
	s.Copy(fleet, fleet+"-undisturbed")
	s.Reset()
	r := run(fleet+"-undisturbed", newKiller())
	if got := s.Tags(fleet + "-undisturbed"); r.Code != 0 || !maps.Equal(got, want) {
		t.Fatalf("an undisturbed run leaves %v, want %v\n%s", got, want, r.Stderr)
	}
	requests := s.Requests()
	for n := range requests {
		copied := fleet + "-" + strconv.Itoa(n)
		cell := fmt.Sprintf("request %d, %s %s, %s", n, requests[n].Method, requests[n].Path, c)
		s.Copy(fleet, copied)
		kill := newKiller()
		j := programtest.Keep(s, new(programtest.Journal), from(n, crash(c, kill.kill)))
		s.Reset()
		r := run(copied, kill)
		checkCrash(t, cell, s, r, kill)
		if got := s.Tags(copied); r.Code == 0 && !maps.Equal(got, want) {
			t.Errorf("%s: the run succeeds and leaves %v, want %v", cell, got, want)
		}
		moved := programtest.Moves(j.All())
		j = programtest.Keep(s, new(programtest.Journal), nil)
		if r := run(copied, newKiller()); r.Code != 0 {
			t.Errorf("%s: the next run: %s", cell, r.Stderr)
		}
		got := s.Tags(copied)
		if moved = append(moved, programtest.Moves(j.All())...); len(moved) > 0 || !maps.Equal(got, want) {
			t.Errorf("%s: tags %v, want %v, from %v; %q", cell, got, want, begin, moved)
		}
	}
	t.Logf("%d requests, each of them %s", len(requests), c)
}

// checkCrash: a run that was not killed says what went wrong, and no secret.
func checkCrash(t *testing.T, cell string, s *registrytest.Server, r programtest.Result, kill *killer) {
	t.Helper()
	said := r.Stdout + r.Stderr
	if strings.Contains(said, s.Password) || strings.Contains(said, "panic") || strings.Contains(said, "goroutine ") {
		t.Errorf("%s: it says %q", cell, said)
	}
	switch killed := len(kill.done) > 0; {
	case killed && r.Code == -1, r.Code == 0:
	case r.Code != 1 || !strings.HasPrefix(said, "oci-promote: ") && !strings.Contains(said, "\noci-promote: "):
		t.Errorf("%s: exit status %d, it says %q", cell, r.Code, said)
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
func (k *killer) program(t *testing.T, s *registrytest.Server, env []string, flags ...string) programtest.Result {
	t.Helper()
	var stdout, stderr strings.Builder
	cmd := programtest.Command(t, append([]string{"OCI_PROMOTE_PASSWORD=" + s.Password}, env...), programtest.TagArgs(s, flags...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	k.process <- cmd.Process
	_ = cmd.Wait() // the exit status tells
	return programtest.Result{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
}

// TestKiller: the process ends at that request, and what the request did stays.
func TestKiller(t *testing.T) {
	s := registrytest.Start(t, registrytest.Options{Token: true})
	a := programtest.BuildFor(t, s, commitA, 0)
	before := s.Tags(fleet)
	kill := newKiller()
	programtest.Keep(s, new(programtest.Journal), registrytest.On("PUT", "/manifests/validated-", crash("killed after it took effect", kill.kill)))
	r := kill.program(t, s, a.BoundStatus(t))
	before["validated-aaaaaaa"] = a.Digest
	if got := s.Tags(fleet); r.Code != -1 || !maps.Equal(got, before) {
		t.Errorf("exit status %d, tags %v, want %v\n%s", r.Code, got, before, r.Stderr)
	}
}
