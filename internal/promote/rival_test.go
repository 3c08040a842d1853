package promote

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// TestSlowRival has another promotion announced before this one begins, whose write takes a
// second: this one waits for it, whichever way the other came to the same version. One that was
// killed before live passed it is not waited for.
func TestSlowRival(t *testing.T) {
	for _, row := range []struct {
		name, tags, subject string
		rival               string // TAG=LETTER that is written after a second
		want                string
		waits               bool
	}{
		{"of the same base", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.2=b +b 0.0.2-rc.3=c", "c", "0.0.2=b", "0.0.2=b 0.0.3=c " + v("c"), true},
		{"stranded, and ours was rescued", "0.0.1-rc.1=a 0.0.1=a +a 0.0.1-rc.2=b +b 0.0.1-rc.3=c 0.0.2-rc.3=c", "c", "0.0.2=b", "0.0.2=b 0.0.3=c " + v("c"), true},
		{"stranded like ours", "0.0.1-rc.1=a 0.0.1=a +a 0.0.1-rc.2=b +b 0.0.1-rc.3=c", "c", "0.0.2=b", "0.0.2=b 0.0.3=c " + v("c"), true},
		{"rescued, and ours is stranded", "0.0.1-rc.1=a 0.0.1=a +a 0.0.1-rc.2=b 0.0.1-rc.3=c +c 0.0.2-rc.3=c", "b", "0.0.2=c", "0.0.2=c " + v("b"), true},
		{"of another base", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.2=b 0.0.3-rc.3=c +c", "b", "", "0.0.2=b " + v("b"), false},
		{"killed, and passed", "0.0.1-rc.1=a +a 0.0.1-rc.2=b 0.0.1=b 0.0.2-rc.3=c", "c", "", "0.0.2=c " + v("c"), false},
		{"killed, and passed twice", "0.0.1-rc.1=a +a 0.0.1-rc.2=b 0.0.1=b 0.0.2-rc.3=c 0.0.2=c 0.0.3-rc.4=d", "d", "", "0.0.3=d " + v("d"), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := pipelinetest.NewShelf(t, row.tags)
				before := pipelinetest.Tags(t, s)
				go func() {
					time.Sleep(time.Second)
					if tag, letter, ok := strings.Cut(row.rival, "="); ok {
						s.Put(t, letter, tag)
					}
				}()
				began := time.Now()
				r, err := promotion(s, subject(s, row.subject), nil).Run(t.Context())
				took := time.Since(began)
				time.Sleep(time.Minute)
				if writes := s.Added(t, before); err != nil || writes != row.want || took > 3*time.Second || took > 0 != row.waits {
					t.Errorf("%s %s (%s), %v, after %s wrote %q, want %q", r.Outcome, r.Version, r.Reason, err, took, writes, row.want)
				}
				checkTold(t, s, r)
			})
		})
	}
}

// TestOverwrittenWhileReadingBack has another promotion, which is seen, overwrite our stable right
// after it was read back: the other has a stable then, which is no reason to be content.
func TestOverwrittenWhileReadingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := pipelinetest.NewShelf(t, "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.2=b 0.0.2-rc.3=c")
		s.After = func(tag string) {
			if tag == pipelinetest.Tag(pipeline.ValidatedPrefix, "c") {
				s.Put(t, "b", pipelinetest.Tag(pipeline.ValidatedPrefix, "b"))
			}
		}
		repo := &thief{Store: s.Store, tag: "0.0.2", steal: func() { s.Put(t, "b", "0.0.2") }}
		r := mustRun(t, promotion(repo, subject(s, "c"), nil), pipeline.Promoted, "0.0.3")
		checkTold(t, s, r)
	})
}

// thief is a store that gives a tag to another artifact once it was read.
type thief struct {
	*pipelinetest.Store
	tag   string
	once  sync.Once
	steal func()
}

func (s *thief) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	desc, err := s.Store.Resolve(ctx, tag)
	if tag == s.tag && err == nil {
		s.once.Do(s.steal)
	}
	return desc, err
}

// TestRivalsWaitOnlyWhileThePlanStands: of three that see each other, one that has lost its version
// plans again at once.
func TestRivalsWaitOnlyWhileThePlanStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := pipelinetest.NewShelf(t, "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.2=b 0.0.2-rc.3=c 0.0.2-rc.4=d")
		s.After = func(tag string) {
			if tag == pipelinetest.Tag(pipeline.ValidatedPrefix, "d") { // two more begin; one is killed
				s.Put(t, "c", pipelinetest.Tag(pipeline.ValidatedPrefix, "c"))
				s.Put(t, "b", pipelinetest.Tag(pipeline.ValidatedPrefix, "b"))
				go func() {
					time.Sleep(time.Second)
					s.Put(t, "b", "0.0.2")
				}()
			}
		}
		var lost time.Duration
		began := time.Now()
		run := promotion(s, subject(s, "d"), nil)
		run.Log = func(step string) {
			if strings.Contains(step, "went to another") {
				lost = time.Since(began)
			}
		}
		mustRun(t, run, pipeline.Promoted, "0.0.3")
		if lost == 0 || lost > 1500*time.Millisecond {
			t.Errorf("planned again after %s", lost)
		}
	})
}
