package chaos

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// TestSignals asks the program to end, as a runner does whose job is cancelled, while it waits for the answer to each of
// its requests: it ends soon, says so, and writes nothing more; the next run completes it.
func TestSignals(t *testing.T) {
	b := startBench(t)
	var all sync.WaitGroup
	busy := make(chan struct{}, 8)
	for i, s := range b.scenarios(t) {
		if s.hub {
			continue
		}
		b.undisturbed(t, i, s)
		for n, at := range s.targets {
			if (n+i)%9 != 0 && !*programtest.Long {
				continue
			}
			busy <- struct{}{}
			all.Go(func() {
				defer func() { <-busy }()
				signal := []os.Signal{syscall.SIGINT, syscall.SIGTERM}[n%2]
				b.interrupt(t, b.cell(1000*(i+1)+n, s.seed), job{scenario: s, target: at, n: n, fault: fault{name: signal.String()}}, signal)
			})
		}
	}
	all.Wait()
}

// interrupt runs one scenario and sends it the signal at the target.
func (b *bench) interrupt(t *testing.T, c *cell, j job, signal os.Signal) {
	t.Helper()
	var sent atomic.Int64
	c.meet(func(w http.ResponseWriter, r *http.Request, n int, next http.Handler) {
		sent.CompareAndSwap(0, time.Now().UnixNano())
		c.process(func(p *os.Process) { _ = p.Signal(signal) })
		registrytest.Stall(time.Hour)(w, r, n, next)
	}, j.target, false, false)
	before := c.state()
	got := c.run(t, *j.scenario, time.Minute)
	after := time.Since(time.Unix(0, sent.Load()))
	writes := c.journal.All()
	var wrong []string
	if sent.Load() == 0 {
		wrong = append(wrong, "the request was not met")
	}
	if after > 20*time.Second {
		wrong = append(wrong, fmt.Sprintf("it ends %s after the signal", after))
	}
	number, _ := signal.(syscall.Signal)
	wrong = append(wrong, unclear(got, b.Password, 128+int(number))...) // also where it has ended well without that reading
	if !strings.Contains(got.Stderr, "interrupted") {
		wrong = append(wrong, "it does not say that it was interrupted")
	}
	for _, w := range writes {
		if j.want.tags[w.Tag] != w.Digest || before[w.Tag] != "" && before[w.Tag] != w.Digest {
			wrong = append(wrong, "it writes "+w.Tag)
		}
	}
	if len(wrong) > 0 {
		t.Errorf("%s: %q\nexit status %d after %s; %s\n%.3000s", j, wrong, got.Code, got.took, got.Stdout, got.Stderr)
	}
	b.converges(t, c, j)
}
