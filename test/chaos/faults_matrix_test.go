package chaos

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/programtest"
)

var (
	matrixFile = flag.String("matrix", "", "write the fault matrix to this file, as Markdown")
	cellsOnly  = flag.String("cells", "", "run the cells whose name matches this regular expression only")
)

// Bounds of a run, whatever it meets.
const (
	maxMemory = 128 << 10 // KiB
	maxSaid   = 8 << 10   // bytes
	slack     = 60 * time.Second
)

// job is one cell to run.
type job struct {
	*scenario
	fault
	target
	n      int // of its target
	always bool
}

func (j job) String() string {
	form := "once"
	if j.always {
		form = "for ever"
	}
	return fmt.Sprintf("%s; %s, %s; request %d, %s %s", j.scenario.name, j.fault.name, form, j.n, j.method, j.path)
}

func (j job) verdict() verdict {
	switch {
	case j.always:
		return j.fault.always
	case j.once == fails && j.guessed != "" && (!j.token || j.path == j.guessed && j.place == 0):
		return either // what is guessed may be the first to ask, without a token, and be the one that fails
	}
	return j.once
}

// TestFaults is the fault matrix: the real program against a real registry, in each of which some request is answered
// with some fault, once or from then on. The run succeeds as if nothing had happened, or fails with a clear error
// inside its time and memory; nothing wrong is written; the next run completes it, and the one after that has nothing
// to do. In the short form each fault meets some requests of some scenarios, and each request meets some faults.
func TestFaults(t *testing.T) {
	b := startBench(t)
	scenarios := b.scenarios(t)
	for i, s := range scenarios {
		b.undisturbed(t, i, s)
	}
	if t.Failed() {
		return
	}
	jobs := plan(b, scenarios)
	m := newMatrix(scenarios)
	var all sync.WaitGroup
	busy, stalled := make(chan struct{}, 16), make(chan struct{}, 80)
	for i, j := range jobs {
		places := busy
		if strings.HasPrefix(j.fault.name, "stall") { // it does nothing
			places = stalled
		}
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			m.add(j, b.try(t, b.cell(1000+i, j.seed), j))
		})
	}
	all.Wait()
	t.Log(m.summary())
	if *matrixFile != "" {
		if err := os.MkdirAll(filepath.Dir(*matrixFile), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(*matrixFile, []byte(m.markdown()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// undisturbed runs a scenario without any fault.
func (b *bench) undisturbed(t *testing.T, n int, s *scenario) {
	t.Helper()
	c := b.cell(n, s.seed)
	c.meet(nil, target{}, false, false)
	s.want = c.run(t, *s, time.Minute)
	s.targets = c.targets(s.hub)
	if s.want.Code != s.code || s.want.Stdout == "" || len(s.targets) == 0 {
		t.Errorf("%s: exit status %d\n%s%s", s.name, s.want.Code, s.want.Stdout, s.want.Stderr)
	}
	c.meet(nil, target{}, false, false)
	s.idle = told(c.run(t, *s, time.Minute)).Outcome
	t.Logf("%s: %d requests", s.name, len(s.targets))
}

// plan is all cells or, for the short form, some of each fault in each form: others of other scenarios for each.
func plan(b *bench, scenarios []*scenario) (jobs []job) {
	chosen := regexp.MustCompile(*cellsOnly)
	for k, f := range append(passing(), lying(b.Server)...) {
		if f.slow && !*programtest.Long {
			continue
		}
		for _, always := range []bool{false, true} {
			all := slices.DeleteFunc(cellsOf(f, always, scenarios), func(j job) bool { return !chosen.MatchString(j.String()) })
			if n := len(all); n > 2 && !*programtest.Long && *cellsOnly == "" {
				first := k * shortStep % n
				all = []job{all[first], all[(first+n/2)%n]}
			}
			jobs = append(jobs, all...)
		}
	}
	return jobs
}

// shortStep is a prime that leads from one scenario into the next.
const shortStep = 23

// cellsOf are all requests that can meet a fault in one of its forms.
func cellsOf(f fault, always bool, scenarios []*scenario) (jobs []job) {
	for _, s := range scenarios {
		if s.hub && f.registry || !s.hub && f.gitHub {
			continue
		}
		for n, r := range s.targets {
			j := job{s, f, r, n, always}
			if j.verdict() != never && (f.on == nil || f.on(r.asked)) {
				jobs = append(jobs, j)
			}
		}
	}
	return jobs
}

// result is what became of a cell.
type result int

const (
	failed result = iota
	survived
	clearError
)

// try runs one cell: the disturbed run, the next and the one after it.
func (b *bench) try(t *testing.T, c *cell, j job) result {
	t.Helper()
	budget := 20 * time.Second
	if j.always {
		budget = 1500 * time.Millisecond
	}
	before := c.state()
	c.meet(j.answer, j.target, j.always, j.hub)
	got := c.run(t, *j.scenario, budget+slack+stalls(j), "--retry-for", budget.String())
	ok := true
	wrong := func(format string, args ...any) {
		ok = false
		t.Errorf("%s: %s\nexit status %d after %s, %d KiB; stdout %s; stderr\n%.3000s", j, fmt.Sprintf(format, args...), got.Code, got.took, got.peak, got.Stdout, got.Stderr)
	}
	c.mu.Lock()
	hits := c.hits
	c.mu.Unlock()
	writes := c.journal.All()
	if hits == 0 {
		wrong("the fault was not met")
	}
	// verify's diagnosis stands without what the registry does not tell of a blob
	untold := strings.Contains(j.path, "/blobs/") && strings.Contains(got.Stderr, "notice: blobs could not be checked")
	// verify tells of a lie as of a fault of the repository
	clean := got.Code == j.code && got.Stdout != "" && !strings.HasPrefix(got.Stdout, `{"error":`) || j.lies && told(got).Outcome == "unhealthy"
	switch v := j.verdict(); {
	case v == dies && clean:
		wrong("it is not killed")
	case v == dies:
	case v == survives && !clean:
		wrong("it does not get by")
	case clean && j.hub && v != survives && toldOf(got, j.want):
		clean = false // it goes on without GitHub, and says so
	case v == survives && strings.Contains(got.Stderr, "warning: "):
		wrong("it warns")
	case v == fails && clean && j.path != j.optional && !untold:
		wrong("it succeeds")
	case clean && j.lies:
	case clean && !same(got, j.want):
		wrong("it ends otherwise than an undisturbed run: %v, want %v, %s", got.tags, j.want.tags, j.want.Stdout)
	case !clean:
		for _, w := range unclear(got, b.Password, 1) {
			wrong("%s", w)
		}
	}
	memory := maxMemory
	if strings.Contains(j.fault.name, "50 MB") || strings.Contains(j.fault.name, "new tags") {
		memory *= 2
	}
	if got.took > budget+slack+stalls(j) || got.peak > memory {
		wrong("it is out of bounds")
	}
	if moved := programtest.Moves(writes); len(moved) > 0 {
		wrong("%q", moved)
	}
	for _, w := range writes {
		if j.want.tags[w.Tag] != w.Digest && (!j.lies || !slices.Contains(slices.Collect(maps.Values(j.want.tags)), w.Digest)) {
			wrong("it writes %s, which is %q in an undisturbed run", w.Tag, j.want.tags[w.Tag])
		}
	}
	for name, digest := range before {
		if now := got.tags[name]; now != digest && (now != "" || j.want.tags[name] == digest) {
			wrong("%s was lost", name)
		}
	}
	if ok && !b.converges(t, c, j) {
		ok = false
	}
	switch {
	case !ok:
		return failed
	case clean:
		return survived
	}
	return clearError
}

// stalls is the time that a run may spend on connections that say nothing, which is not the budget for retries.
func stalls(j job) time.Duration {
	if j.slow {
		return 3 * time.Minute
	}
	return 0
}

// same reports whether a run told and left what the undisturbed one did.
func same(got, want outcome) bool {
	return maps.Equal(got.tags, want.tags) && told(got) == told(want)
}

// toldOf reports whether a run says that something was different.
func toldOf(got, want outcome) bool {
	return strings.Contains(got.Stderr, "warning: ") || told(got).findings != told(want).findings
}

// report is what a run says of the artifact.
type report struct {
	Outcome, Version, Candidate, Digest string
	findings                            string
}

func told(o outcome) report {
	var r struct {
		report
		Findings []struct{ Code string }
	}
	_ = json.Unmarshal([]byte(o.Stdout), &r) // nothing is told, then
	for _, f := range r.Findings {
		r.findings += f.Code + " "
	}
	return r.report
}

// converges runs the scenario again without the fault, and once more.
func (b *bench) converges(t *testing.T, c *cell, j job) bool {
	t.Helper()
	c.meet(nil, target{}, false, false)
	next := c.run(t, *j.scenario, slack)
	want := j.want.tags
	if j.lies { // the registry may have made the run think that another one is under way
		want = next.tags
	}
	if next.Code != j.code || !maps.Equal(next.tags, want) {
		t.Errorf("%s: the next run: exit status %d, tags %v, want %v\n%s", j, next.Code, next.tags, j.want.tags, next.Stderr)
		return false
	}
	again := c.run(t, *j.scenario, slack)
	if again.Code != j.code || !maps.Equal(again.tags, want) || told(again).Outcome != j.idle {
		t.Errorf("%s: the run after that: exit status %d, %s, tags %v\n%s", j, again.Code, again.Stdout, again.tags, again.Stderr)
		return false
	}
	return true
}

var (
	aSecret = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{10}|` + hubToken)
	crash   = regexp.MustCompile(`(?m)^panic:|^goroutine \d|^fatal error:|\.go:\d+|0xc0`)
	anError = regexp.MustCompile(`(?m)^oci-promote: \S.*\n(?:oci-promote: .*\n)* {13}\S`)
)

// unclear is what is wrong with the words of a run that failed.
func unclear(o outcome, password string, code int) (all []string) {
	said := o.Stdout + o.Stderr
	if o.Code != code {
		all = append(all, fmt.Sprintf("the exit status is not %d", code))
	}
	if !anError.MatchString(o.Stderr) {
		all = append(all, "no error with a hint")
	}
	if crash.MatchString(said) || strings.Contains(said, password) || aSecret.MatchString(said) {
		all = append(all, "it tells its inside or a secret")
	}
	if len(o.Stderr) > maxSaid {
		all = append(all, fmt.Sprintf("it says %d bytes", len(o.Stderr)))
	}
	return all
}
