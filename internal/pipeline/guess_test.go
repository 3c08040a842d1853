package pipeline

import (
	"context"
	"sync"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// meeting is a store whose first list waits for somebody who reads a tag or a digest beside it.
type meeting struct {
	*shelf
	first    sync.Once
	patience time.Duration
	read     chan string
	met      string
}

func (m *meeting) Tags(ctx context.Context, last string, fn func([]string) error) error {
	m.first.Do(func() {
		select {
		case m.met = <-m.read:
		case <-time.After(m.patience):
		}
	})
	return m.shelf.Tags(ctx, last, fn)
}

func (m *meeting) Resolve(ctx context.Context, by string) (ocispec.Descriptor, error) {
	select {
	case m.read <- by:
	default:
	}
	return m.shelf.Resolve(ctx, by)
}

// TestPromotionReadsBesideTheList: what names the artifact is read while the list is on its way, and a tag that is none of
// ours, which an event may hold, is not asked for.
func TestPromotionReadsBesideTheList(t *testing.T) {
	for words, want := range map[string]string{
		"a via 0.0.1-rc.1": "0.0.1-rc.1",
		"a via ../../b":    "",
		"commit a":         tagOf(shaPrefix, "a"),
		"latest":           "",
	} {
		s := newShelf(t, "0.0.1-rc.1=a @a")
		m := &meeting{shelf: s, read: make(chan string, 1), patience: 10 * time.Second}
		if want == "" {
			m.patience = 50 * time.Millisecond
		}
		run := tagFor(t, m, s.subject(t, words), nil)
		r, err := run.Run(t.Context())
		if err != nil || r.Outcome != Promoted || m.met != want {
			t.Errorf("%s: %s %v, and beside the list was read %q, want %q", words, r.Outcome, err, m.met, want)
		}
	}
}
