package promote

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// TestReadsLagBehind believes a write of its own when a reading shows it, goes on where only the
// list never does, and says so where nothing shows it.
func TestReadsLagBehind(t *testing.T) {
	for _, row := range []struct {
		name     string
		lag      time.Duration
		listOnly bool
		fails    string
		most     time.Duration
	}{
		{"readings by less than a second", 600 * time.Millisecond, false, "", 3 * time.Second},
		{"readings by seconds", 3 * time.Second, false, "", 12 * time.Second},
		{"the list by seconds", 3 * time.Second, true, "", 4 * time.Second},
		{"the list by a minute", time.Minute, true, "", 7 * time.Second},
		{"readings by a minute", time.Minute, false, "does not show it", 14 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := pipelinetest.NewShelf(t, two+" 0.0.1-rc.3=c")
				before := pipelinetest.Tags(t, s)
				run := promotion(&laggard{Store: s.Store, lag: row.lag, listOnly: row.listOnly}, subject(s, "b"), nil)
				began := time.Now()
				r, err := run.Run(t.Context())
				if took := time.Since(began); took > row.most {
					t.Errorf("took %s", took)
				}
				if row.fails != "" {
					checkRefusal(t, err, row.fails)
					time.Sleep(row.lag)
					r, err = run.Run(t.Context()) // nothing has to be undone
				}
				if err != nil || r.Version != "0.0.1" {
					t.Errorf("%s %s (%s), %v", r.Outcome, r.Version, r.Reason, err)
				}
				if writes := s.Added(t, before); writes != "0.0.1=b 0.0.2-rc.3=c "+v("b") {
					t.Errorf("wrote %q", writes)
				}
				time.Sleep(time.Hour)
				checkAgain(t, s, run, r)
			})
		})
	}
}

// TestListLagsBehindAnother has a second promotion begin while the list does not show the first
// one's version. One look tells that it is taken, unless both write within one round trip.
func TestListLagsBehindAnother(t *testing.T) {
	for _, lag := range []time.Duration{3 * time.Second, time.Minute} {
		for _, later := range []time.Duration{100 * time.Millisecond, time.Second, 10 * time.Second} {
			t.Run(lag.String()+" behind, "+later.String()+" later", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := pipelinetest.NewShelf(t, two)
					l := &laggard{Store: s.Store, lag: lag, listOnly: true}
					var wg sync.WaitGroup
					for letter, after := range map[string]time.Duration{"a": 0, "b": later} {
						wg.Go(func() {
							time.Sleep(after)
							if r, err := promotion(l, subject(s, letter), nil).Run(t.Context()); err != nil || r.Outcome != pipeline.Promoted && r.Outcome != pipeline.Superseded {
								t.Errorf("%s: %s %s, %v", letter, r.Outcome, r.Reason, err)
							}
						})
					}
					wg.Wait()
					time.Sleep(time.Hour)
					mustRun(t, promotion(l, subject(s, "b"), nil), pipeline.Unchanged, "")
					if left := due(t, s, pipelinetest.Line{}); left != "" {
						t.Errorf("due is %s", left)
					}
				})
			})
		}
	}
}

// TestStableListedBeforeItCanBeRead: a registry may list a tag while it still takes it. The
// promotion beside that looks again, instead of giving up.
func TestStableListedBeforeItCanBeRead(t *testing.T) {
	for _, times := range []int{3, 100} {
		synctest.Test(t, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, promoted)
			half := &halfWritten{Store: s.Store, tag: "0.0.1", times: times}
			r, err := promotion(half, subject(s, "b"), nil).Run(t.Context())
			switch {
			case times > 10:
				checkRefusal(t, err, "lists the stable 0.0.1, which cannot be read")
			case err != nil || r.Outcome != pipeline.Promoted || r.Version != "0.0.2" || half.times > 0:
				t.Errorf("%s %s, %v, %d looks left", r.Outcome, r.Version, err, half.times)
			}
		})
	}
}

// halfWritten is a repository that lists a tag and does not show it the first times.
type halfWritten struct {
	*pipelinetest.Store
	mu    sync.Mutex
	tag   string
	times int
}

func (h *halfWritten) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if tag == h.tag && h.times > 0 {
		h.times--
		return ocispec.Descriptor{}, errdef.ErrNotFound
	}
	return h.Store.Resolve(ctx, tag)
}

// TestReadsBesideTheList: what names the artifact is read while the list is on its way, and a tag
// that is none of ours, which an event may hold, is not asked for.
func TestReadsBesideTheList(t *testing.T) {
	for words, want := range map[string]string{
		"a via 0.0.1-rc.1": "0.0.1-rc.1",
		"a via ../../b":    "",
		"commit a":         sha("a"),
		"latest":           "",
	} {
		synctest.Test(t, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, "0.0.1-rc.1=a @a")
			m := &meeting{Shelf: s, read: make(chan string, 1)}
			r := mustRun(t, promotion(m, subject(s, words), nil), pipeline.Promoted, "0.0.1")
			if m.met != want {
				t.Errorf("%s: %s, and beside the list was read %q, want %q", words, r.Reason, m.met, want)
			}
		})
	}
}

// meeting is a store whose first list waits for somebody who reads a tag or a digest beside it.
type meeting struct {
	*pipelinetest.Shelf
	first sync.Once
	read  chan string
	met   string
}

func (m *meeting) Tags(ctx context.Context, last string, fn func([]string) error) error {
	m.first.Do(func() {
		select {
		case m.met = <-m.read:
		case <-time.After(time.Second):
		}
	})
	return m.Shelf.Tags(ctx, last, fn)
}

func (m *meeting) Resolve(ctx context.Context, by string) (ocispec.Descriptor, error) {
	select {
	case m.read <- by:
	default:
	}
	return m.Shelf.Resolve(ctx, by)
}

// TestHistoryCannotBeAsked: the heights decide then, and the report says so once.
func TestHistoryCannotBeAsked(t *testing.T) {
	s := pipelinetest.NewShelf(t, "0.0.1-rc.2=b 0.0.1-rc.3=c 0.1.0-rc.1=a 0.1.0=a +a")
	run := promotion(s, subject(s, "b"), nil)
	run.History = pipelinetest.Line{Err: errors.New("403 contents: read")}
	r := mustRun(t, run, pipeline.Promoted, "0.1.1")
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "heights decide: 403") {
		t.Errorf("warnings %q", r.Warnings)
	}
}
