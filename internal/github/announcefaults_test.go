package github

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// faults are what can become of a request.
var faults = map[string]fault{
	"500":                     refuse(500, "<html>Unicorn!</html>"),
	"503 after it was done":   done(503, `{"message":"Service Unavailable"}`),
	"403":                     refuse(403, forbids),
	"404":                     refuse(404, notFound),
	"404 of a proxy":          done(404, "<html>"),
	"410":                     refuse(410, `{"message":"This issue was deleted"}`),
	"422":                     refuse(422, `{"message":"Validation Failed","errors":[{"resource":"IssueComment","code":"unprocessable","field":"data","message":"Body is too long"}]}`),
	"429":                     refuse(429, `{"message":"Too many requests"}`),
	"202":                     done(202, `{}`),
	"empty 200":               refuse(200, ""),
	"empty 200 after":         done(200, ""),
	"HTML":                    refuse(200, "<html>proxy</html>"),
	"HTML after it was done":  done(200, "<html>proxy</html>"),
	"null":                    refuse(200, "null"),
	"an object":               refuse(200, "{}"),
	"reset":                   reset,
	"lost after it was done":  lost,
	"half a body":             half,
	"half a body, never done": undone(half),
}

// What the answer to a write does not tell, the list does; it is sent once whatever comes back.
func TestAnnounceLostAnswers(t *testing.T) {
	for _, test := range []struct {
		fault   string
		at      int // of the requests: comments, the write, comments
		written bool
		err     string
		reads   int
	}{
		{"lost after it was done", 1, true, "", 2},
		{"503 after it was done", 1, true, "", 2},
		{"404 of a proxy", 1, true, "", 2},
		{"202", 1, true, "", 2},
		{"half a body", 1, true, "", 2},
		{"empty 200 after", 1, true, "", 2},
		{"HTML after it was done", 1, true, "", 2},
		{"reset", 1, false, "EOF", 2},
		{"500", 1, false, "500", 2},
		{"empty 200", 1, false, "the answer has no id", 2},
		{"an object", 1, false, "the answer has no id", 2},
		{"422", 1, false, "422 Validation Failed: Body is too long", 1},
		{"half a body", 2, true, "listing comments", 2},
		{"empty 200", 2, true, "the answer is no list", 2},
	} {
		t.Run(fmt.Sprint(test.fault, " of ", test.at), func(t *testing.T) {
			h, pulls := told(t, 1)
			h.fault = func(n int) fault {
				if n == test.at {
					return faults[test.fault]
				}
				return nil
			}
			got, err := h.open(t).Announce(t.Context(), live, pulls)
			if slices.Equal(got.Written, []int{1}) != test.written || (err == nil) != (test.err == "") {
				t.Errorf("got %+v, %v", got, err)
			}
			if err != nil {
				explained(t, err, map[bool]string{true: "the next run looks"}[!test.written && test.reads == 2], test.err)
			}
			if h.asked("GET") != test.reads || h.asked("POST") != 1 {
				t.Errorf("it asks %q", h.requests)
			}
		})
	}
}

// tell is what a run does with an arrival.
func tell(t *testing.T, r *Repository, since, until string) error {
	status, err := r.Compare(t.Context(), until, since)
	if err != nil || status != "ahead" {
		return errors.Join(err, fmt.Errorf("the history is %q", status))
	}
	pulls, _, err := r.Merged(t.Context(), since, until)
	if err != nil {
		return err
	}
	a := live
	a.Dir = "platform"
	_, err = r.Announce(t.Context(), a, pulls)
	return err
}

// arrival is a hub on which three pull requests of ours became live, and one of another directory.
func arrival(t *testing.T) (h *hub, since, until string, ours []Pull) {
	t.Helper()
	h = startHub(t)
	h.squash("platform/app.yaml")
	since = h.main
	for _, p := range []*hubPull{h.squash("platform/app.yaml"), h.rebase("docs/x.md"), h.merge(since, "x", "platform/b.yaml"), h.rebase("platform/c.yaml")} {
		if p.files[0][0] != "docs/x.md" {
			ours = append(ours, Pull{p.number, p.merged})
		}
	}
	return h, since, h.main, ours
}

// Whatever becomes of one request, or of all from one on, no comment is written twice: a healthy run after it writes what is
// missing, and the one after that writes nothing.
func TestAnnounceFaults(t *testing.T) {
	h, since, until, _ := arrival(t)
	if err := tell(t, h.open(t), since, until); err != nil {
		t.Fatal(err)
	}
	requests := slices.Clone(h.requests)
	if len(requests) != 3+4+3*3 { // of a run: compare twice and list; then files; comments, the write, comments
		t.Fatalf("it asks %q", requests)
	}
	for name, what := range faults {
		for i, request := range requests {
			for _, ever := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s of %d %s, ever %v", name, i, request, ever), func(t *testing.T) {
					h, since, until, ours := arrival(t)
					h.fault = func(n int) fault {
						if n == i || ever && n > i {
							return what
						}
						return nil
					}
					failed := tell(t, h.open(t), since, until)
					h.mend()
					for _, p := range ours {
						if n := h.pulls[p.Number-1].marked(live.About); n > 1 {
							t.Errorf("the run with the fault left %d comments on #%d", n, p.Number)
						}
					}
					if err := tell(t, h.open(t), since, until); err != nil {
						t.Errorf("the second run: %v", err)
					}
					h.once(t, live.About, ours)
					sent := h.asked("POST") + h.asked("DELETE")
					if err := tell(t, h.open(t), since, until); err != nil || h.asked("POST")+h.asked("DELETE") != sent {
						t.Errorf("the third run: %v\n%s", err, strings.Join(h.requests, "\n"))
					}
					if n := h.asked("POST issues/3/"); n > 0 || len(h.pulls[0].comments) > 0 {
						t.Error("it wrote on one of another directory, or of before")
					}
					var e *Error
					if failed != nil && !errors.As(failed, &e) && !strings.Contains(failed.Error(), "the history is") {
						t.Errorf("the error %v has no hint", failed)
					}
				})
			}
		}
	}
}

// Runs at once of which one meets a fault, at whatever request, end with one comment, and nobody takes the last away. Where
// it was the look for another's that failed, there may be two: no later run takes back what it did not write.
func TestAnnounceFaultsAtOnce(t *testing.T) {
	for name, what := range faults {
		for i := range 12 {
			t.Run(fmt.Sprintf("%s of %d", name, i), func(t *testing.T) {
				h, pulls := told(t, 1)
				h.meeting = 3
				h.fault = func(n int) fault {
					if n == i && n >= h.meeting { // not before they have met
						return what
					}
					return nil
				}
				var wg sync.WaitGroup
				for range 3 {
					wg.Go(func() { _, _ = h.open(t).Announce(t.Context(), live, pulls) })
				}
				wg.Wait()
				h.mend()
				if n := h.pulls[0].marked(live.About); n == 0 {
					t.Errorf("nobody wrote: %q", h.requests)
				}
				if _, err := h.open(t).Announce(t.Context(), live, pulls); err != nil {
					t.Error(err)
				}
				if n := h.pulls[0].marked(live.About); n != 1 && i < len(h.requests) && strings.HasPrefix(h.requests[i], "POST") {
					t.Errorf("%d comments: %q", n, h.requests)
				}
			})
		}
	}
}
