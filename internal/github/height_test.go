package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func init() { pushWaits = make([]time.Duration, len(pushWaits)) } // nothing that is pushed here takes its time

const (
	counting = "/api/v3/repos/acme/fleet/commits?per_page=1&sha=" + older
	dated    = `"commit":{"author":{"date":"2026-11-20T08:00:00Z"},"committer":{"date":"2026-11-23T10:02:17+01:00"}}`
	child    = `[{"sha":"` + older + `",` + dated + `,"parents":[{"sha":"` + newer + `"}]}]`
	root     = `[{"sha":"` + older + `",` + dated + `,"parents":[]}]`
)

// last is GitHub's Link header of the first page, where the last page is that one.
func last(page string) string {
	const list = "https://ghe.test/api/v3/repositories/7/commits?sha=" + older + "&per_page=1&page="
	return `<` + list + `2>; rel="next", <` + list + page + `>; rel="last"`
}

func TestHeight(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 2, 17, 0, time.UTC)
	tests := []struct {
		name, link, body string
		want             uint64
		at               time.Time
	}{
		{"many", last("1534"), child, 1534, at},
		{"two", last("2"), child, 2, at},
		{"the first of all", "", root, 1, at},
		{"as many as are believed", last("9007199254740992"), child, 1 << 53, at},
		{"the last before the next", `<https://x/?page=7>; rel="last", <https://x/?page=2>; rel="next"`, child, 7, at},
		{"page first in the query", `<https://x/?page=7&per_page=1>; rel="last"`, child, 7, at},
		{"no date", last("9"), `[{"sha":"` + older + `","parents":[{}]}]`, 9, time.Time{}},
		{"only when it was written", last("9"), `[{"sha":"` + older + `","commit":{"author":{"date":"2026-11-20T08:00:00Z"}}}]`, 9, time.Time{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, says(200, test.body, "Link", test.link))
			height, at, err := s.open(t).Height(t.Context(), older)
			if err != nil || height != test.want || at != test.at {
				t.Errorf("got %d, %v, %v", height, at, err)
			}
			same(t, s.requests(), []string{counting})
		})
	}
	t.Run("letters", func(t *testing.T) {
		const commit = "ABCDEF0123456789abcdef0123456789abcdefab"
		s := serve(t, says(200, strings.ReplaceAll(child, older, strings.ToUpper(commit)), "Link", last("3")))
		if height, _, err := s.open(t).Height(t.Context(), commit); err != nil || height != 3 {
			t.Errorf("got %d, %v", height, err)
		}
		same(t, s.requests(), []string{"/api/v3/repos/acme/fleet/commits?per_page=1&sha=" + strings.ToLower(commit)})
	})
}

// Nothing but GitHub's word on this very commit is a height.
func TestHeightNotGuessed(t *testing.T) {
	const other = `[{"sha":"` + newer + `",` + dated + `,"parents":[]}]`
	tests := []struct{ name, link, body, err string }{
		{"the header was dropped", "", child, "no Link header"},
		{"the header was dropped, and the parents", "", `[{"sha":"` + older + `"}]`, "no Link header"},
		{"null parents", "", `[{"sha":"` + older + `","parents":null}]`, "no Link header"},
		{"further pages of a first commit", last("5"), root, "has no parents"},
		{"last page 1", last("1"), child, "last page"},
		{"last page 0", last("0"), child, "last page"},
		{"a negative page", last("-5"), child, "last page"},
		{"a page of letters", last("x"), child, "last page"},
		{"a page in hex", last("0x10"), child, "last page"},
		{"more than is believed", last("9007199254740993"), child, "last page"},
		{"more than fits", last("99999999999999999999999"), child, "last page"},
		{"no last page", `<https://x/?page=2>; rel="next"`, child, "last page"},
		{"pages by cursor", `<https://x/?after=abc>; rel="next"`, child, "last page"},
		{"no page in the last", `<https://x/?per_page=1>; rel="last"`, child, "last page"},
		{"a link without a relation", `<https://x/?page=7>`, child, "last page"},
		{"a link without brackets", `https://x/?page=7; rel="last"`, child, "last page"},
		{"no link", "nonsense", child, "last page"},
		{"another commit", last("5"), other, "not a list of this commit alone"},
		{"another first commit", "", other, "not a list of this commit alone"},
		{"a longer name", last("5"), strings.Replace(child, older, older+"1", 1), "not a list of this commit alone"},
		{"two commits", last("5"), `[{"sha":"` + older + `","parents":[{}]},{"sha":"` + newer + `"}]`, "not a list of this commit alone"},
		{"ours second", last("5"), `[{"sha":"` + newer + `"},{"sha":"` + older + `"}]`, "not a list of this commit alone"},
		{"no commit", "", `[]`, "not a list of this commit alone"},
		{"null", last("5"), `[null]`, "not a list of this commit alone"},
		{"nothing", last("5"), ``, "not a list of this commit alone"},
		{"an object", last("5"), `{"sha":"` + older + `"}`, "cannot unmarshal"},
		{"a page", last("5"), `<html>sign in</html>`, "invalid character"},
		{"cut short", last("5"), child[:40], "unexpected EOF"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, says(200, test.body, "Link", test.link))
			height, at, err := s.open(t).Height(t.Context(), older)
			explained(t, err, "", "counting the commits up to 1111111", test.err)
			if height != 0 || !at.IsZero() {
				t.Errorf("got %d, %v", height, at)
			}
			same(t, s.requests(), []string{counting})
		})
	}
}

func TestHeightOfNoCommit(t *testing.T) {
	s := serve(t, says(200, child, "Link", last("5")))
	for _, commit := range []string{"", "main", older[:39], older + "1", older + "\n", "../" + older[3:], strings.Repeat("g", 40), strings.Repeat("0", 64)} {
		height, _, err := s.open(t).Height(t.Context(), commit)
		explained(t, err, "", "40 hex digits", fmt.Sprintf("%q", commit))
		if height != 0 {
			t.Errorf("%q has the height %d", commit, height)
		}
	}
	same(t, s.requests(), nil)
}

// GitHub learns of a push a moment later.
func TestHeightAfterPush(t *testing.T) {
	missing := map[int]string{
		404: `{"message":"Not Found"}`, 409: `{"message":"Git Repository is empty."}`, 422: `{"message":"No commit found for SHA: ` + older + `"}`,
	}
	for status, body := range missing {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			for late := range 6 {
				times := 0
				s := serve(t, func(w http.ResponseWriter, r *http.Request) {
					if times++; times <= late {
						says(status, body)(w, r)
						return
					}
					says(200, child, "Link", last("12"))(w, r)
				})
				height, _, err := s.open(t).Height(t.Context(), older)
				if late < 5 && (err != nil || height != 12) {
					t.Errorf("after %d: got %d, %v", late, height, err)
				} else if late == 5 {
					explained(t, err, "push the commit to acme/fleet first", "counting the commits", fmt.Sprint(status))
					explained(t, err, "contents: read")
				}
				if asked := len(s.requests()); asked != min(late+1, 5) {
					t.Errorf("after %d: %d requests", late, asked)
				}
			}
		})
	}
	t.Run("nothing else is asked again", func(t *testing.T) {
		s := serve(t, says(403, `{"message":"Resource not accessible by integration"}`))
		_, _, err := s.open(t).Height(t.Context(), older)
		explained(t, err, "contents: read", "403")
		same(t, s.requests(), []string{counting})
	})
	t.Run("cancelled", func(t *testing.T) {
		defer func(waits []time.Duration) { pushWaits = waits }(pushWaits)
		pushWaits = []time.Duration{time.Hour}
		ctx, cancel := context.WithCancel(t.Context())
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			says(404, missing[404])(w, r)
			time.AfterFunc(10*time.Millisecond, cancel)
		})
		if _, _, err := s.open(t).Height(ctx, older); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// What was counted was read: a comparison that fails is then about its commits.
func TestHeightTellsThatCommitsCanBeRead(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/compare/") {
			says(404, `{"message":"Not Found"}`)(w, r)
			return
		}
		says(200, child, "Link", last("12"))(w, r)
	})
	r := s.open(t)
	if _, _, err := r.Height(t.Context(), older); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Compare(t.Context(), newer, older); got != "" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	same(t, s.requests(), []string{counting, comparing})
}

// Whatever stands in for GitHub: a height comes from a list of this commit alone, and 1 only where it has no parents.
func FuzzHeight(f *testing.F) {
	for _, body := range []string{child, root, `[]`, `[null]`, `null`, `{}`, ``, `<html>`, `[{"sha":"` + newer + `","parents":[]}]`, `[{"sha":"` + older + `"}]`, `[{"sha":"` + older + `"},{}]`, `[{"SHA":"` + older + `","Parents":[]}]`} {
		for _, link := range []string{"", last("7"), last("1"), last("-1"), last("99999999999999999999"), last("%32"), `<x?page=3&since=4>;rel="last"`, `<>; rel="last"`, `<%zz?page=3>; rel="last"`, `<?page=3>; rel="first"; rel="last",<`, `, ,`} {
			f.Add(200, body, link)
		}
		f.Add(404, body, "")
	}
	f.Fuzz(func(t *testing.T, status int, body, link string) {
		if status < 200 || status > 599 || status/100 == 3 || strings.ContainsAny(link, "\r\n\x00") {
			return
		}
		gh := &answers{status: status, body: body, link: link}
		r, err := Open(Options{Repository: "acme/fleet", APIURL: "https://ghe.test/api/v3", Token: token, Transport: gh})
		if err != nil {
			t.Fatal(err)
		}
		height, at, err := r.Height(t.Context(), older)
		if len(gh.asked) > len(pushWaits)+1 {
			t.Errorf("%d requests", len(gh.asked))
		}
		if err != nil {
			if height != 0 || !at.IsZero() || strings.Contains(err.Error(), token) || !strings.Contains(err.Error(), "acme/fleet") {
				t.Errorf("got %d, %v, %v", height, at, err)
			}
			return
		}
		ours := strings.Count(body, older) > 0 && !strings.HasPrefix(strings.TrimSpace(body), "{")
		if status/100 != 2 || !ours || height < 1 || height > maxHeight || (height == 1) != (link == "") || height > 1 && !strings.Contains(link, `rel="last"`) || at.Location() != time.UTC {
			t.Errorf("%d %q with the Link %q is %d, %v", status, body, link, height, at)
		}
	})
}
