package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var live = Announcement{About: "ghcr.io/acme/fleet 0.1.5 live", Text: func(p Pull) string { return fmt.Sprintf("Live, #%d.", p.Number) }, Dir: ".", Most: 30}

// told is a hub with as many merged pull requests, and their list.
func told(t *testing.T, n int) (*hub, []Pull) {
	t.Helper()
	h := startHub(t)
	var pulls []Pull
	for range n {
		p := h.squash("platform/app.yaml")
		pulls = append(pulls, Pull{p.number, p.merged})
	}
	return h, pulls
}

// once checks that each pull request has exactly one comment about what was announced.
func (h *hub) once(t *testing.T, about string, pulls []Pull) {
	t.Helper()
	for _, p := range pulls {
		if n := h.pulls[p.Number-1].marked(about); n != 1 {
			t.Errorf("#%d has %d comments about %q", p.Number, n, about)
		}
	}
}

// The comment is written once, below what others said, and another one about something else.
func TestAnnounce(t *testing.T) {
	h, pulls := told(t, 2)
	h.say(h.pulls[0], 3, "see\n"+marker(live.About))
	h.say(h.pulls[0], 3, marker("ghcr.io/acme/fleet 0.1.4 live")+"\nx")
	want := Announced{Written: []int{1, 2}}
	if got, err := h.open(t).Announce(t.Context(), live, pulls); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if c := h.pulls[1].comments[0].body; c != "<!-- oci-promote: ghcr.io%2Facme%2Ffleet+0.1.5+live -->\r\nLive, #2." {
		t.Errorf("the comment is %q", c)
	}
	if got, err := h.open(t).Announce(t.Context(), live, pulls); err != nil || !reflect.DeepEqual(got, Announced{}) {
		t.Errorf("again: %+v, %v", got, err)
	}
	back := live
	back.About = "ghcr.io/acme/fleet 0.1.6 back"
	if got, err := h.open(t).Announce(t.Context(), back, pulls[1:]); err != nil || !slices.Equal(got.Written, []int{2}) {
		t.Errorf("back: %+v, %v", got, err)
	}
	h.once(t, live.About, pulls)
	h.once(t, back.About, pulls[1:])
	if n := h.asked("POST"); n != 3 || len(h.pulls[0].comments) != 3 {
		t.Errorf("%d were written: %+v", n, h.pulls[0].comments)
	}
}

// A run writes so many and says which are left; the next one goes on. A dry run writes none.
func TestAnnounceMost(t *testing.T) {
	h, pulls := told(t, 35)
	dry := live
	dry.DryRun = true
	want := Announced{Written: numbers(pulls[:30]), Left: numbers(pulls[30:])}
	for _, a := range []Announcement{dry, live} {
		if got, err := h.open(t).Announce(t.Context(), a, pulls); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	if n := h.asked("POST"); n != 30 {
		t.Errorf("%d were written", n)
	}
	if got, err := h.open(t).Announce(t.Context(), live, pulls); err != nil || !reflect.DeepEqual(got, Announced{Written: numbers(pulls[30:])}) {
		t.Errorf("the next run: %+v, %v", got, err)
	}
	h.once(t, live.About, pulls)
	h, pulls = told(t, 103)
	got, err := h.open(t).Announce(t.Context(), live, pulls)
	if err != nil || !slices.Equal(got.Unseen, []int{101, 102, 103}) || len(got.Left) != 70 || h.asked("GET") != 130 {
		t.Errorf("got %+v, %v with %d reads", got, err, h.asked("GET"))
	}
}

// Only pull requests that touch the directory have one, and only they are left.
func TestAnnounceDir(t *testing.T) {
	h, pulls := told(t, 4)
	h.pulls[1].files = [][2]string{{"docs/x.md"}}
	h.pulls[2].files = [][2]string{{"docs/app.yaml", "platform/app.yaml"}}
	a := live
	a.Dir, a.Most = "platform", 2
	if got, err := h.open(t).Announce(t.Context(), a, pulls); err != nil || !reflect.DeepEqual(got, Announced{Written: []int{1, 3}, Left: []int{4}}) {
		t.Errorf("got %+v, %v", got, err)
	}
	if h.asked("GET issues/2/comments") > 0 {
		t.Error("comments of one that does not touch it are read")
	}
}

// What can have no comment is passed over; the others have theirs.
func TestAnnounceSkips(t *testing.T) {
	h, pulls := told(t, 6)
	h.pulls[0].locked, h.pulls[4].locked = true, true
	for i := range 1001 {
		h.say(h.pulls[2], 3, fmt.Sprint(i))
	}
	h.pulls[3].files = slices.Repeat([][2]string{{"docs/x.md"}}, 3000)
	a := live
	a.Dir = "platform"
	h.fault = func(n int) fault {
		if strings.HasSuffix(h.requests[n], "issues/2/comments") {
			return func(w http.ResponseWriter, _ func() *httptest.ResponseRecorder) {
				says(404, notFound)(w, nil)
			}
		}
		return nil
	}
	want := Announced{Written: []int{6}, Skipped: []Skipped{
		{"the conversation is locked", []int{1, 5}}, {"deleted, or not for this token: the job needs `permissions: pull-requests: write`", []int{2}},
		{"more than 1000 comments", []int{3}}, {"GitHub lists no more than 3000 files of a pull request", []int{4}},
	}}
	if got, err := h.open(t).Announce(t.Context(), a, pulls); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	h.mend()
	h.pulls[1].gone = true
	if got, err := h.open(t).Announce(t.Context(), live, pulls[:3]); err != nil || !reflect.DeepEqual(got.Skipped[:2], []Skipped{{"the conversation is locked", []int{1}}, {"deleted", []int{2}}}) {
		t.Errorf("got %+v, %v", got, err)
	}
	h.once(t, live.About, pulls[5:])
	if n := h.asked("POST"); n != 4 { // three to those that are locked
		t.Errorf("%d were sent", n)
	}
}

// A limit ends the run at once, and so does a token that may not; what fails for one pull request leaves the others, three
// times.
func TestAnnounceStops(t *testing.T) {
	const secondary = `{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again.","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`
	for _, test := range []struct {
		name, on   string
		answer     http.HandlerFunc
		sent       int // requests of that method
		hint, text string
	}{
		{"403 secondary limit", "POST", says(403, secondary, "Retry-After", "60"), 1, "pause", "secondary rate limit"},
		{"403 secondary limit, an older server", "POST", says(403, `{"message":"You have exceeded a secondary rate limit"}`), 1, "pause", "secondary rate limit"},
		{"403 secondary limit, a block", "POST", says(403, `{"message":"You have exceeded a secondary rate limit. What is blocked is locked."}`), 1, "pause", "blocked"},
		{"403 with Retry-After", "POST", says(403, `{"message":"slow down"}`, "Retry-After", "60"), 1, "pause", "slow down"},
		{"403 rate limit", "POST", says(403, `{"message":"x"}`, "X-RateLimit-Limit", "1000", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "4102542245"), 1, "2100-01-02", "limit is used up"},
		{"429", "POST", says(429, `{"message":"Too many requests"}`), 1, "pause", "429"},
		{"429 on a list", "GET", says(429, `{"message":"Too many requests"}`), 1, "pause", "429"},
		{"403", "POST", says(403, forbids), 1, "`permissions: pull-requests: write`", "writing a comment of pull request #1"},
		{"403 on a list", "GET", says(403, forbids), 1, "`permissions: pull-requests: write`", "listing comments of pull request #1"},
		{"401", "POST", says(401, `{"message":"Bad credentials"}`), 1, "token is not valid", "401"},
		{"422", "POST", says(422, `{"message":"Validation Failed"}`), 3, "", "422 Validation Failed"},
		{"502", "POST", says(502, ""), 3, "the next run looks", "502"},
		{"404 of a proxy", "POST", says(404, "<html>"), 3, "the next run looks", "404"},
		{"410 of a proxy on a list", "GET", says(410, "<html>"), 3, "", "410"},
		{"502 on a list", "GET", says(502, ""), 3, "", "502"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, pulls := told(t, 5)
			h.fault = func(n int) fault {
				if !strings.HasPrefix(h.requests[n], test.on) {
					return nil
				}
				return func(w http.ResponseWriter, _ func() *httptest.ResponseRecorder) { test.answer(w, nil) }
			}
			got, err := h.open(t).Announce(t.Context(), live, pulls)
			explained(t, err, test.hint, test.text)
			if n := h.asked(test.on); n != test.sent || !got.Stopped || !slices.Equal(got.Unseen, numbers(pulls[n:])) || got.Written != nil || got.Skipped != nil {
				t.Errorf("%d were sent: %+v", n, got)
			}
			if joined := err.(interface{ Unwrap() []error }).Unwrap(); len(joined) != test.sent {
				t.Errorf("%d errors", len(joined))
			}
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		h, pulls := told(t, 2)
		r := h.open(t)
		r.pause = time.Hour
		ctx, cancel := context.WithCancel(t.Context())
		h.fault = func(n int) fault {
			if strings.HasSuffix(h.requests[n], "issues/2/comments") {
				cancel()
			}
			return nil
		}
		got, err := r.Announce(ctx, live, pulls)
		if !errors.Is(err, context.Canceled) || !slices.Equal(got.Written, []int{1}) || !got.Stopped {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

// The marker is looked for on each page.
func TestAnnouncePages(t *testing.T) {
	for _, at := range []int{0, 99, 100, 250, 999} {
		h, pulls := told(t, 1)
		for i := range 1000 {
			text := fmt.Sprint(i)
			if i == at {
				text = marker(live.About) + "\r\nLive"
			}
			h.say(h.pulls[0], 3, text)
		}
		if got, err := h.open(t).Announce(t.Context(), live, pulls); err != nil || !reflect.DeepEqual(got, Announced{}) || len(h.requests) != 10 {
			t.Errorf("at %d: %+v, %v after %d requests", at, got, err, len(h.requests))
		}
	}
}

// A second comment that another run has taken away is gone; one that stays is told.
func TestAnnounceTakesBack(t *testing.T) {
	for _, test := range []struct {
		answer http.HandlerFunc
		want   string
	}{
		{says(404, notFound), ""}, {says(410, notFound), ""}, {says(204, ""), ""},
		{says(403, forbids), "403 Resource"}, {says(502, ""), "502"},
	} {
		h, pulls := told(t, 1)
		h.fault = func(n int) fault {
			switch method, _, _ := strings.Cut(h.requests[n], " "); method {
			case "POST":
				h.say(h.pulls[0], 7, marker(live.About))
			case "DELETE":
				return func(w http.ResponseWriter, _ func() *httptest.ResponseRecorder) { test.answer(w, nil) }
			}
			return nil
		}
		got, err := h.open(t).Announce(t.Context(), live, pulls)
		if !slices.Equal(got.Written, []int{1}) || (err == nil) != (test.want == "") || !slices.Contains(h.requests, "DELETE issues/comments/2") {
			t.Errorf("got %+v, %v of %q", got, err, h.requests)
		}
		if err != nil {
			explained(t, err, map[bool]string{true: writePulls}[test.want == "403 Resource"], "deleting the second of two comments of pull request #1", test.want)
		}
	}
}

// Writes are apart, and nothing else waits.
func TestAnnouncePace(t *testing.T) {
	h, pulls := told(t, 3)
	var at []time.Time
	h.fault = func(n int) fault {
		if strings.HasPrefix(h.requests[n], "POST") {
			at = append(at, time.Now())
		}
		return nil
	}
	r := h.open(t)
	r.pause = 50 * time.Millisecond
	start := time.Now()
	if _, err := r.Announce(t.Context(), live, pulls); err != nil {
		t.Fatal(err)
	}
	if at[0].Sub(start) >= r.pause || at[1].Sub(at[0]) < r.pause || at[2].Sub(at[1]) < r.pause {
		t.Errorf("from %s they were written at %s", start, at)
	}
	if r, err := Open(Options{Repository: "acme/fleet"}); err != nil || r.pause != time.Second {
		t.Errorf("the pause is %v, %v", r.pause, err)
	}
}

// Runs that start at once, each before any has written, end with one comment a pull request.
func TestAnnounceAtOnce(t *testing.T) {
	const runs = 4
	h, pulls := told(t, 3)
	h.meeting = runs
	var wg sync.WaitGroup
	for range runs {
		wg.Go(func() {
			if got, err := h.open(t).Announce(t.Context(), live, pulls); err != nil || len(got.Written) == 0 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	wg.Wait()
	if h.asked("POST issues/1/comments") != runs {
		t.Errorf("they did not meet: %q", h.requests)
	}
	h.once(t, live.About, pulls)
}

// Of several the oldest stays, whoever sees what. A stranger's copy only takes the place of ours.
func TestAnnounceTwins(t *testing.T) {
	mark := marker(live.About)
	for _, test := range []struct {
		name  string
		twins func(h *hub, p *hubPull, own func()) // around the run's own
		stay  []int64
	}{
		{"alone", func(h *hub, p *hubPull, own func()) { own() }, []int64{1}},
		{"second", func(h *hub, p *hubPull, own func()) { h.say(p, 7, mark); own() }, []int64{1}},
		{"first", func(h *hub, p *hubPull, own func()) { own(); h.say(p, 7, mark+"\nx") }, []int64{1}},
		{"second, with another token", func(h *hub, p *hubPull, own func()) { h.say(p, 8, mark); own() }, []int64{1}},
		{"first, with another token", func(h *hub, p *hubPull, own func()) { own(); h.say(p, 8, mark) }, []int64{1, 2}}, // the other takes its own back
		{"a stranger's copy of it", func(h *hub, p *hubPull, own func()) { own(); h.say(p, 3, mark+"\nx") }, []int64{1, 2}},
		{"a stranger answers", func(h *hub, p *hubPull, own func()) { own(); h.say(p, 3, "> "+mark) }, []int64{1, 2}},
		{"lists lag", func(h *hub, p *hubPull, own func()) { own(); h.lag = 1 }, []int64{1}},
		{"users who are gone", func(h *hub, p *hubPull, own func()) { h.writer = 0; own(); h.say(p, 0, mark) }, []int64{1, 2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, pulls := told(t, 1)
			h.fault = func(n int) fault {
				if !strings.HasPrefix(h.requests[n], "POST") {
					return nil
				}
				return func(w http.ResponseWriter, serve func() *httptest.ResponseRecorder) {
					test.twins(h, h.pulls[0], func() {
						answer := serve()
						w.WriteHeader(answer.Code)
						_, _ = answer.Body.WriteTo(w)
					})
				}
			}
			got, err := h.open(t).Announce(t.Context(), live, pulls)
			if err != nil || !slices.Equal(got.Written, []int{1}) {
				t.Errorf("got %+v, %v", got, err)
			}
			var stay []int64
			for _, c := range h.pulls[0].comments {
				stay = append(stay, c.id)
			}
			if !slices.Equal(stay, test.stay) {
				t.Errorf("left are %v of %v, want %v", stay, h.requests, test.stay)
			}
		})
	}
}
