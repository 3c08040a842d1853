package github

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// world is what a cluster has of an artifact, by number, while time goes on.
type world struct {
	*rand.Rand
	built int
	state map[int]string
}

// goesOn lets something happen: a rollout begins, beside what runs or in its place, ends well or badly, or goes back.
func (w *world) goesOn() {
	switch n := w.IntN(10); {
	case n < 4 || len(w.state) == 0: // a new one is selected; what ran before still does
		maps.DeleteFunc(w.state, func(_ int, state string) bool { return state != Success })
		w.built++
		w.state[w.built] = InProgress
	case n < 5: // back to any
		w.state = map[int]string{1 + w.IntN(w.built): []string{InProgress, Success}[w.IntN(2)]}
	case n < 8: // what is selected ends, well or badly
		last := slices.Max(slices.Collect(maps.Keys(w.state)))
		w.state = map[int]string{last: []string{Success, Success, Failure}[w.IntN(3)]}
	}
}

func (w *world) environment(name, artifact string) Environment {
	e := Environment{Name: name, Artifact: artifact}
	for n, state := range w.state {
		e.Has = append(e.Has, has(n, state, "says "+state))
	}
	return e
}

func (w *world) truth() (all []string) {
	for n, state := range w.state {
		all = append(all, digestOf(n)+" "+state)
	}
	slices.Sort(all)
	return all
}

// Random stories of two artifacts in two environments. Now and then a run meets a fault, or two go at once; after each healthy run
// GitHub shows what is true and nothing else, one for each digest, and a second run writes nothing.
func TestDeployStories(t *testing.T) {
	for seed := range uint64(24) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			story(t, rand.New(rand.NewPCG(seed, 1)))
		})
	}
}

func story(t *testing.T, dice *rand.Rand) {
	h := startDeployHub(t)
	worlds := map[[2]string]*world{}
	for _, name := range []string{"integration", "live"} {
		for _, artifact := range []string{fleet, "ghcr.io/acme/other"} {
			worlds[[2]string{name, artifact}] = &world{dice, 0, map[int]string{}}
		}
	}
	keys := slices.SortedFunc(maps.Keys(worlds), func(a, b [2]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) })
	for range 50 {
		key := keys[dice.IntN(len(keys))]
		w := worlds[key]
		for range 1 + dice.IntN(2) {
			w.goesOn()
		}
		e := w.environment(key[0], key[1])
		h.tick(time.Duration(dice.IntN(3)) * time.Second)
		if dice.IntN(4) == 0 {
			f := hubFaults[dice.IntN(len(hubFaults))]
			h.meets(f.fault, 1+dice.IntN(10))
			_, _ = h.open(t).Deploy(t.Context(), e)
			h.tick(0)
		}
		if _, err := h.open(t).Deploy(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			if got, want := h.active(key[0], key[1]), worlds[key].truth(); !slices.Equal(got, want) {
				t.Fatalf("%s has\n%s\nwant\n%s\n%s", key, strings.Join(got, "\n"), strings.Join(want, "\n"), strings.Join(h.requests, "\n"))
			}
		}
		n := len(h.requests)
		if _, err := h.open(t).Deploy(t.Context(), e); err != nil || len(h.writes(n)) > 0 {
			t.Fatalf("the second run wrote %q, %v", h.writes(n), err)
		}
	}
	made := map[string]bool{}
	for _, d := range h.made {
		p := readPayload(d.Payload)
		if key := d.Environment + p.Repository + p.Digest; made[key] {
			t.Errorf("%s was made twice", key)
		} else {
			made[key] = true
		}
	}
}

// A cluster that stays with an old artifact, while one rollout after the other fails beside it, is still found when it goes on.
func TestDeployStaysInSight(t *testing.T) {
	for failures := range 12 {
		h := startDeployHub(t)
		r := h.open(t)
		run := func(has ...Deployment) {
			t.Helper()
			h.tick(time.Hour)
			for range 2 {
				if _, err := r.Deploy(t.Context(), onLive(has...)); err != nil {
					t.Fatal(err)
				}
			}
		}
		run(has(1, Success, ""))
		for n := range failures {
			run(has(1, Success, ""), has(n+2, InProgress, ""))
		}
		run(has(failures+2, Success, ""))
		same(t, h.active("live", fleet), []string{digestOf(failures+2) + " success"})
		if anew := len(h.made[0].statuses) - 2; anew > failures/2 {
			t.Errorf("%d failures: its state was written anew %d times", failures, anew)
		}
	}
}
