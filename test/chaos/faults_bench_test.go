package chaos

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// bench is a registry and a GitHub that serve many cells at once. Each cell has a repository and an API of its own, and
// meets its own fault.
type bench struct {
	*registrytest.Server
	gitHub *httptest.Server
	hub    func(*cell) http.Handler
	repo   string                              // of a cell, by its name
	at     func(repo string) []string          // the flags that lead to a repository
	env    []string                            // of each run
	made   func(c *cell)                       // is told of each cell; may be nil
	other  func(repo string) map[string]string // what else there is of a repository; may be nil

	mu    sync.Mutex
	cells map[string]*cell
}

// cellName is in the path of each request of a cell, or in the scope of the token that it asks for.
var cellName = regexp.MustCompile(`cell-[0-9]+`)

// pageSize of the registry is small, so that a list of some artifacts has several pages.
const pageSize = 6

func startBench(t *testing.T) *bench {
	t.Helper()
	return newBench(t, registrytest.Options{Token: true, PageSize: pageSize})
}

func newBench(t *testing.T, o registrytest.Options) *bench {
	t.Helper()
	b := &bench{repo: "acme/%s", cells: map[string]*cell{}}
	b.Server = registrytest.Start(t, o)
	b.at = func(repo string) []string {
		return []string{"--plain-http", "--username", b.Username, "--repository", b.Host + "/" + repo}
	}
	b.Intercept(func(w http.ResponseWriter, r *http.Request, n int, next http.Handler) {
		b.of(r).serve(w, r, n, next, false)
	})
	b.gitHub = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := b.of(r)
		c.serve(w, r, 0, b.hub(c), true)
	}))
	t.Cleanup(b.gitHub.Close)
	return b
}

// cell makes a cell with a repository that is a copy of seed, or is not there.
func (b *bench) cell(n int, seed string) *cell {
	name := "cell-" + strconv.Itoa(n)
	c := &cell{repo: fmt.Sprintf(b.repo, name), bench: b, releases: map[string]string{}}
	c.keep = c.journal.Of(b.Server)
	if seed != "" {
		b.Copy(seed, c.repo)
	}
	if b.made != nil {
		b.made(c)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cells[name] = c
	return c
}

// of is the cell that a request is of; a request of none meets no fault.
func (b *bench) of(r *http.Request) *cell {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c, ok := b.cells[cellName.FindString(r.URL.RequestURI())]; ok {
		return c
	}
	return &cell{bench: b}
}

// target is a request by what it asks for, and its place among those that ask the same: requests that are under way
// together arrive in any order.
type target struct {
	asked
	place int
}

// kind is what a request is found by. Which one goes first, and gets 401, is chance where two begin at once.
func (r asked) kind() string {
	if !r.token && strings.HasPrefix(r.path, "/v2/") {
		return "without a token"
	}
	return r.method + " " + r.path
}

// cell is one repository under one fault.
type cell struct {
	repo  string
	bench *bench

	mu     sync.Mutex
	hub    bool // the fault is GitHub's
	fault  registrytest.Interceptor
	from   target
	always bool
	hits   int
	seen   map[string]int
	log    []asked

	journal programtest.Journal // of the writes that the registry accepted, whatever the program hears of them
	keep    registrytest.Interceptor

	running  *os.Process
	releases map[string]string // of GitHub: the commit, by git tag
}

// meet lets the cell's next run meet the fault at the request from, and at all after it if always; nil is none.
func (c *cell) meet(fault registrytest.Interceptor, from target, always, hub bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault, c.from, c.always, c.hub = fault, from, always, hub
	c.hits, c.seen, c.log = 0, map[string]int{}, nil
	c.journal.All()
}

var (
	uploadID  = regexp.MustCompile(`/uploads/[^/?]+`)
	versionID = regexp.MustCompile(`/versions/[0-9]+`)
	pathOf    = strings.NewReplacer("acme%2Fcell", "acme/cell")
)

// serve answers one request of the cell, of the registry or of GitHub.
func (c *cell) serve(w http.ResponseWriter, r *http.Request, n int, next http.Handler, hub bool) {
	path := strings.Replace(pathOf.Replace(r.URL.Path), c.repo, "CELL", 1)
	query := r.URL.Query()
	path = cellName.ReplaceAllString(path, "OWNER")
	path = versionID.ReplaceAllString(uploadID.ReplaceAllString(path, "/uploads/ID"), "/versions/ID")
	a := asked{
		method: r.Method, path: path, height: query.Has("sha") && !query.Has("path"),
		token: strings.HasPrefix(r.Header.Get("Authorization"), "Bearer "),
	}
	if keep, registry := c.keep, next; keep != nil && !hub {
		next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { keep(w, r, n, registry) })
	}
	said := &listener{ResponseWriter: w}
	defer func() {
		a.status, a.bytes = said.status, said.bytes
		c.mu.Lock()
		defer c.mu.Unlock()
		c.log = append(c.log, a)
	}()
	if fault := c.meets(a, hub); fault != nil {
		fault(said, r, n, next)
		return
	}
	next.ServeHTTP(said, r)
}

func (c *cell) meets(a asked, hub bool) registrytest.Interceptor {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault == nil || hub != c.hub {
		return nil
	}
	place := c.seen[a.kind()]
	c.seen[a.kind()]++
	if hit := a.kind() == c.from.kind() && place == c.from.place; !hit && (!c.always || c.hits == 0) {
		return nil
	}
	c.hits++
	return c.fault
}

// targets are the requests of the last run that were the registry's, or GitHub's.
func (c *cell) targets(hub bool) []target {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []target
	places := map[string]int{}
	for _, a := range c.log {
		if strings.HasPrefix(a.path, hubPrefix) != hub {
			continue
		}
		all = append(all, target{a, places[a.kind()]})
		places[a.kind()]++
	}
	return all
}

// listener remembers what was answered.
type listener struct {
	http.ResponseWriter
	status, bytes int
}

func (l *listener) WriteHeader(status int) {
	l.status = status
	l.ResponseWriter.WriteHeader(status)
}

func (l *listener) Write(p []byte) (int, error) {
	if l.status == 0 {
		l.status = http.StatusOK
	}
	l.bytes += len(p)
	return l.ResponseWriter.Write(p)
}

func (l *listener) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// outcome is what a run of the program came to.
type outcome struct {
	programtest.Result
	took time.Duration
	peak int // KiB of memory
	tags map[string]string
}

// run runs the program on the cell's repository, killed if it takes longer than limit.
func (c *cell) run(t *testing.T, s scenario, limit time.Duration, flags ...string) outcome {
	t.Helper()
	env := slices.Concat([]string{"OCI_PROMOTE_PASSWORD=" + c.bench.Password}, c.bench.env, s.env)
	if s.hub {
		env = append(env, "GITHUB_API_URL="+c.bench.gitHub.URL+hubPrefix+c.repo, "GITHUB_REPOSITORY=acme/fleet", "GITHUB_TOKEN="+hubToken)
	}
	args := slices.Concat([]string{s.mode, "--json"}, c.bench.at(c.repo), s.flags, flags)
	cmd := programtest.Command(t, env, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return outcome{}
	}
	c.mu.Lock()
	c.running = cmd.Process
	c.mu.Unlock()
	done := make(chan struct{})
	peak := make(chan int)
	go func() { peak <- watch(cmd.Process, limit, done) }()
	_ = cmd.Wait() // the exit status tells
	close(done)
	took := time.Since(begin)
	return outcome{programtest.Result{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}, took, <-peak, c.state()}
}

// process gives the running program to do, as soon as it is known.
func (c *cell) process(do func(*os.Process)) {
	for {
		c.mu.Lock()
		p := c.running
		c.mu.Unlock()
		if p != nil {
			do(p)
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// state is what the cell's repository names by each tag, which manifests it has, and what GitHub has by each release.
func (c *cell) state() map[string]string {
	state := c.bench.Tags(c.repo)
	for _, digest := range c.bench.Manifests(c.repo) {
		state["manifest "+digest] = digest
	}
	if c.bench.other != nil {
		maps.Copy(state, c.bench.other(c.repo))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for tag, commit := range c.releases {
		state["release "+tag] = commit
	}
	return state
}

// watch gives the most memory that a process has had, in KiB, and asks for its goroutines at the limit. What the
// kernel tells after its end counts what its parent had when it was started.
func watch(p *os.Process, limit time.Duration, done <-chan struct{}) (peak int) {
	late := time.After(limit)
	for {
		peak = max(peak, programtest.Peak(p.Pid))
		select {
		case <-done:
			return peak
		case <-late:
			_ = p.Signal(syscall.SIGQUIT) // it may just have ended
		case <-time.After(10 * time.Millisecond):
		}
	}
}
