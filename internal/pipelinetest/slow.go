package pipelinetest

import (
	"context"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Dice is safe for many runs. One seed gives one story: time is virtual.
type Dice struct {
	mu sync.Mutex
	r  *rand.Rand
}

// NewDice makes dice that fall alike for one seed.
func NewDice(seed uint64) *Dice { return &Dice{r: rand.New(rand.NewPCG(seed, 7))} } //nolint:gosec // a story must be told again alike

// Below is a time up to a limit.
func (d *Dice) Below(limit time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Duration(d.r.Int64N(int64(limit) + 1))
}

// IntN is a number below n.
func (d *Dice) IntN(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.IntN(n)
}

// Nap sleeps up to a limit.
func (d *Dice) Nap(limit time.Duration) { time.Sleep(d.Below(limit)) }

// Slow is a real store whose every operation takes a random time, before it takes effect
// and after. Writing a tag may take long.
type Slow struct {
	*Store
	Dice  *Dice
	Write time.Duration
}

const roundTrip = 60 * time.Millisecond

// Tags lists, slowly.
func (s *Slow) Tags(ctx context.Context, last string, fn func([]string) error) error {
	s.Dice.Nap(roundTrip)
	var all []string
	if err := s.Store.Tags(ctx, last, func(tags []string) error { all = append(all, tags...); return nil }); err != nil {
		return err
	}
	s.Dice.Nap(roundTrip)
	return fn(all)
}

// Resolve tells, slowly, what a tag names.
func (s *Slow) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	s.Dice.Nap(roundTrip)
	desc, err := s.Store.Resolve(ctx, tag)
	s.Dice.Nap(roundTrip)
	return desc, err
}

// Tag names, slowly.
func (s *Slow) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	s.Dice.Nap(s.Write)
	err := s.Store.Tag(ctx, desc, tag)
	s.Dice.Nap(roundTrip)
	return err
}

// Push stores, slowly.
func (s *Slow) Push(ctx context.Context, desc ocispec.Descriptor, content io.Reader) error {
	s.Dice.Nap(roundTrip)
	return s.Store.Push(ctx, desc, content)
}
