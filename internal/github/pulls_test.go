package github

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

// Which pull requests belong to a range of commits.
func TestMerged(t *testing.T) {
	tests := []struct {
		name string
		tell func(h *hub) (until string) // what happens after since
		want []int
	}{
		{"nothing", func(h *hub) string { return h.main }, nil},
		{"pushed without one", func(h *hub) string { return h.push("x") }, nil},
		{"squashed", func(h *hub) string { return h.squash().commit }, []int{2}},
		{"rebased", func(h *hub) string { return h.rebase().commit }, []int{2}},
		{"merged", func(h *hub) string { return h.merge(h.main).commit }, []int{2}},
		{"a branch from before since", func(h *hub) string { return h.merge(h.order[0]).commit }, []int{2}},
		{"several, the last first", func(h *hub) string { h.squash(); h.rebase(); h.merge(h.main); return h.push("x") }, []int{4, 3, 2}},
		{"stacked", func(h *hub) string {
			main := h.main
			h.main = h.commit("the lower branch", main)
			h.merge(h.main).base = "lower"
			branch := h.main
			h.main = h.commit("merge the lower", main, branch)
			return h.pull(h.main).commit
		}, []int{3, 2}},
		{"reverted", func(h *hub) string { h.squash(); return h.squash().commit }, []int{3, 2}},
		{"closed, not merged", func(h *hub) string {
			p := h.squash()
			p.merged = time.Time{} // its commit came by another way
			return p.commit
		}, nil},
		{"one commit of two", func(h *hub) string { p := h.squash(); h.pull(p.commit); return p.commit }, []int{3, 2}},
		{"merged after until", func(h *hub) string { sha := h.squash().commit; h.squash(); return sha }, []int{2}},
		{"merged before, updated since", func(h *hub) string {
			sha := h.push("x")
			h.say(h.pulls[0], 3, "hello")
			return sha
		}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := startHub(t)
			since := h.squash().commit
			until := test.tell(h)
			got, more, err := h.open(t).Merged(t.Context(), since, until)
			if err != nil || more || !slices.Equal(numbers(got), test.want) {
				t.Fatalf("got %v, %v, %v; want %v", got, more, err, test.want)
			}
			for _, p := range got {
				if want := h.pulls[p.Number-1].merged; p.Merged != want {
					t.Errorf("#%d was merged at %s, want %s", p.Number, p.Merged, want)
				}
			}
			if n := h.asked("GET pulls"); n > 1 || len(h.requests) > 2 {
				t.Errorf("asked %q", h.requests)
			}
		})
	}
}

// Pages are read to the oldest commit of the range, and no further; ten of them at most.
func TestMergedPages(t *testing.T) {
	for _, test := range []struct {
		before, after int // pull requests that were updated before the range, and after
		pages         int
		more          bool
	}{
		{0, 0, 1, false}, {98, 0, 1, false}, {99, 0, 1, false}, {500, 0, 1, false}, {500, 99, 2, false}, {500, 250, 3, false}, {0, 250, 3, false},
		{0, 998, 10, false}, {0, 1000, 10, true}, {500, 1100, 10, true},
	} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			h := startHub(t)
			other := h.main
			h.now = h.now.Add(time.Hour)
			for range test.before {
				h.pull(other)
			}
			since := h.push("since")
			p := h.squash()
			h.now = h.now.Add(time.Hour)
			for range test.after {
				h.pull(other)
			}
			got, more, err := h.open(t).Merged(t.Context(), since, p.commit)
			if err != nil || more != test.more || !more && !slices.Equal(numbers(got), []int{p.number}) {
				t.Errorf("got %v, %v, %v", got, more, err)
			}
			if n := h.asked("GET pulls"); n != test.pages {
				t.Errorf("%d pages, want %d", n, test.pages)
			}
		})
	}
}

// A history that does not lead there, one that is too long, and a list that fails are told apart, and none is "none".
func TestMergedRefused(t *testing.T) {
	h := startHub(t)
	fork := h.commit("fork", h.main)
	since := h.push("since")
	got, _, err := h.open(t).Merged(t.Context(), since, fork)
	explained(t, err, "", "comparing", "the history is diverged")
	for range 1001 {
		h.push(fmt.Sprint(len(h.order)))
	}
	_, _, many := h.open(t).Merged(t.Context(), since, h.main)
	if got != nil || errors.Is(err, ErrManyCommits) || !errors.Is(many, ErrManyCommits) {
		t.Errorf("got %v, %v, %v", got, err, many)
	}
	for _, stop := range stops {
		h := startHub(t)
		since := h.main
		until := h.squash().commit
		h.fault = func(n int) fault {
			if n == 0 {
				return nil
			}
			return func(w http.ResponseWriter, _ func() *httptest.ResponseRecorder) { stop.answer(w, nil) }
		}
		got, more, err := h.open(t).Merged(t.Context(), since, until)
		hint := stop.hint
		if hint == "`permissions: issues: write`" {
			hint = "may not write the pull requests of this repository; the job needs `permissions: pull-requests: write`"
		}
		explained(t, err, hint, "listing pull requests of acme/fleet: ", stop.text)
		if got != nil || more {
			t.Errorf("%s: got %v, %v", stop.name, got, more)
		}
	}
}

// A directory is touched by whole segments, also by what leaves it.
func TestTouches(t *testing.T) {
	many := func(n int, more ...[2]string) (files [][2]string) {
		for i := range n {
			files = append(files, [2]string{fmt.Sprintf("docs/%d.md", i)})
		}
		return append(files, more...)
	}
	for _, test := range []struct {
		dir   string
		files [][2]string
		want  bool
		pages int
		err   error
	}{
		{".", nil, true, 0, nil},
		{"./", nil, true, 0, nil},
		{"platform", nil, false, 1, nil},
		{"platform", [][2]string{{"platform/app.yaml"}}, true, 1, nil},
		{"./platform/", [][2]string{{"README.md"}, {"platform/a/b.yaml"}}, true, 1, nil},
		{"platform", [][2]string{{"platform"}}, true, 1, nil}, // it was a file, or a submodule
		{"platform", [][2]string{{"platform-dev/app.yaml"}, {"platform.yaml"}, {"a/platform/app.yaml"}, {"Platform/x"}}, false, 1, nil},
		{"platform", [][2]string{{"attic/app.yaml", "platform/app.yaml"}}, true, 1, nil},
		{"platform", [][2]string{{"platform/app.yaml", "attic/app.yaml"}}, true, 1, nil},
		{"platform", [][2]string{{"attic/app.yaml", "platform-dev/app.yaml"}}, false, 1, nil},
		{"a/b", [][2]string{{"a/c"}, {"a/bc"}}, false, 1, nil},
		{"platform", many(100, [2]string{"platform/x"}), true, 2, nil},
		{"platform", many(2999), false, 30, nil},
		{"platform", many(3000), false, 30, errManyFiles},
	} {
		t.Run(fmt.Sprintf("%s %.60v", test.dir, test.files), func(t *testing.T) {
			h := startHub(t)
			h.squash().files = test.files
			got, err := h.open(t).touches(t.Context(), 1, test.dir)
			if got != test.want || !errors.Is(err, test.err) || (err == nil) != (test.err == nil) {
				t.Errorf("got %v, %v", got, err)
			}
			if n := h.asked("GET pulls/1/files"); n != test.pages {
				t.Errorf("%d pages, want %d", n, test.pages)
			}
		})
	}
}
