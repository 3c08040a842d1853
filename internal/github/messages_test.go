package github

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// day is the date of the n-th day of 2026.
func day(n int) string { return time.Date(2026, 1, n, 12, 0, 0, 0, time.UTC).Format(time.RFC3339) }

// history is n commits, oldest first, each with its number in its message.
func history(n int) []commit {
	all := make([]commit, n)
	for i := range all {
		all[i] = commit{fmt.Sprintf("%040x", i+1), fmt.Sprintf("feat: number %d", i+1), day(i%300 + 1)}
	}
	return all
}

// repository answers as GitHub does: between, oldest first, for a comparison; touching,
// newest first and never older than since, for the list of a directory.
func repository(status string, between, touching []commit) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/compare/"+older+"..."+newer):
			page(w, r, between, status)
		case strings.HasSuffix(r.URL.Path, "/commits") && r.URL.Query().Get("sha") == newer:
			since := r.URL.Query().Get("since")
			page(w, r, slices.DeleteFunc(slices.Clone(touching), func(c commit) bool { return since != "" && c.date <= since }), "")
		default:
			http.NotFound(w, r)
		}
	}
}

func backward(all []commit) []commit {
	all = slices.Clone(all)
	slices.Reverse(all)
	return all
}

func TestMessages(t *testing.T) {
	merged := []commit{{"f1", "feat: on a branch since day 5", day(5)}, {"f2", "Merge the branch", day(200)}}
	late := make([]commit, 0, 400) // 150 commits of main that the stable has already, newer than the branch's
	for i := range 150 {
		late = append(late, commit{fmt.Sprintf("e%d", i), "fix: old news", day(199 - i)})
	}
	late = append(append(slices.Clone(merged[1:]), late...), merged[0])
	for i := range 200 { // and what is below it
		late = append(late, commit{fmt.Sprintf("d%d", i), "feat!: very old", "2025-01-01T00:00:00Z"})
	}
	hundreds := history(250)
	tests := []struct {
		name     string
		answer   http.HandlerFunc
		dir      string
		want     []string // nil: all of hundreds
		requests int
	}{
		{"none", repository("identical", nil, nil), ".", []string{}, 1},
		{"none, in a directory", repository("identical", nil, nil), "deploy", []string{}, 1},
		{"one page", repository("ahead", history(2), nil), ".", []string{"feat: number 1", "feat: number 2"}, 1},
		{"path of the whole", repository("ahead", history(1), nil), "./", []string{"feat: number 1"}, 1},
		{"three pages", repository("ahead", hundreds, nil), ".", nil, 3},
		{"three pages and a directory", repository("ahead", hundreds, backward(hundreds)), "deploy", nil, 6},
		{"those that touch the directory", repository("ahead", history(4), []commit{history(4)[2], history(4)[0], {"aa", "feat: before", day(1)}}), "deploy", []string{"feat: number 1", "feat: number 3"}, 2},
		{"none that touches the directory", repository("ahead", history(4), nil), "deploy", []string{}, 2},
		{"only older ones touch the directory", repository("ahead", history(4), []commit{{"aa", "feat!: before", "2025-01-01T00:00:00Z"}}), "deploy", []string{}, 2},
		{"a branch merged late", repository("ahead", merged, late), "deploy", []string{"Merge the branch", "feat: on a branch since day 5"}, 3},
		{"commits without a date", repository("ahead", []commit{{"f1", "feat: timeless", ""}}, []commit{{"f1", "feat: timeless", ""}}), "deploy", []string{"feat: timeless"}, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, test.answer)
			got, err := s.open(t).Messages(t.Context(), older, newer, test.dir)
			if err != nil {
				t.Fatal(err)
			}
			want := test.want
			if want == nil {
				for _, c := range hundreds {
					want = append(want, c.message)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			same(t, got, want)
			if asked := s.requests(); len(asked) != test.requests {
				t.Errorf("%d requests, want %d:\n%s", len(asked), test.requests, strings.Join(asked, "\n"))
			}
		})
	}
}

func TestMessagesRequests(t *testing.T) {
	s := serve(t, repository("ahead", history(1), nil))
	if _, err := s.open(t).Messages(t.Context(), older, newer, "./deploy/../my apps/ä&b/"); err != nil {
		t.Fatal(err)
	}
	asked := s.requests()
	if len(asked) != 2 || asked[0] != "/api/v3/repos/acme/fleet/compare/"+older+"..."+newer+"?page=1&per_page=100" {
		t.Fatalf("asked %q", asked)
	}
	u, err := url.Parse(asked[1])
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{"sha": {newer}, "path": {"my apps/ä&b"}, "since": {"2026-01-01T11:59:59Z"}, "per_page": {"100"}}
	if u.Path != "/api/v3/repos/acme/fleet/commits" || u.Query().Encode() != want.Encode() {
		t.Errorf("asked %s", asked[1])
	}
}

func TestMessagesRefused(t *testing.T) {
	thousand := history(1001)
	everywhere := make([]commit, 1001) // as many commits touch the directory, none of them in between
	for i := range everywhere {
		everywhere[i] = commit{fmt.Sprintf("b%d", i), "feat: other", day(300)}
	}
	tests := []struct {
		name   string
		answer http.HandlerFunc
		dir    string
		want   string
		most   int // requests
	}{
		{"diverged", repository("diverged", history(2), nil), ".", "the history is diverged", 1},
		{"behind", repository("behind", nil, nil), ".", "the history is behind", 1},
		{"no status", repository("?", nil, nil), ".", "the history is ?", 1},
		{"more than ten pages", repository("ahead", thousand, nil), ".", "more than 1000 commits", 10},
		{"more than ten pages of the directory", repository("ahead", history(2), everywhere), "deploy", "more than 1000 commits", 11},
		{"the directory's list fails", func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/commits") {
				says(409, `{"message":"Git Repository is empty."}`)(w, r)
				return
			}
			page(w, r, history(1), "ahead")
		}, "deploy", `touch "deploy": 409 Git Repository is empty.`, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, test.answer)
			got, err := s.open(t).Messages(t.Context(), older, newer, test.dir)
			explained(t, err, "", test.want)
			if got != nil {
				t.Errorf("got %d messages with an error", len(got))
			}
			if asked := len(s.requests()); asked > test.most {
				t.Errorf("%d requests", asked)
			}
		})
	}
	t.Run("exactly ten pages", func(t *testing.T) {
		got, err := serve(t, repository("ahead", thousand[:1000], nil)).open(t).Messages(t.Context(), older, newer, ".")
		if err != nil || len(got) != 1000 {
			t.Errorf("got %d messages, %v", len(got), err)
		}
	})
}
