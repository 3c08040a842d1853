package verify

import (
	"fmt"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// However long the history, verify asks for a bounded number of tags and manifests: 60 requests with the blobs of two
// artifacts, which are up to 4, and the login, which is 2. With the median of the last 20 promotions that is so many more, but for
// those that are read anyway, and 20 commits' statuses beside those of the subject, of the oldest that waits and of what integration selects.
func TestVerifyAsksABoundedNumberOfThings(t *testing.T) {
	const commits, most = 150, 60 - 4 - 2
	for name, tags := range map[string]func(i int) string{
		"all promoted":        func(i int) string { return fmt.Sprintf("@ 0.0.%d-rc.%d + 0.0.%d", i, i, i) },
		"nothing promoted":    func(i int) string { return fmt.Sprintf("@ 0.0.1-rc.%d", i) },
		"a larger bump first": func(i int) string { return fmt.Sprintf("@ %d.0.0-rc.%d", commits-i+1, i) },
		"rolled back": func(i int) string {
			back := fmt.Sprintf("0.0.%d", commits+1)
			return fmt.Sprintf("@ 0.0.%d-rc.%d + 0.0.%d ", i, i, i) + strings.Repeat(back, max(0, 2-i))
		},
		"stranded, far below": func(i int) string {
			return strings.Replace(fmt.Sprintf("@ 0.0.%d-rc.%d + 0.0.%d", i, i, i+1), fmt.Sprintf("+ 0.0.%d", i+1), "", max(0, 1-i%7))
		},
		"something everywhere": func(i int) string {
			return []string{"", "+ "}[i%2] + []string{"@", "sha-"}[i%3%2] + fmt.Sprintf(" 0.%d.1-rc.%d 0.%d.1-rc.%d", i/3, i, i/2, i) + strings.Repeat(fmt.Sprintf(" 0.0.%d", i), max(0, 40-i))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShelf(t, "")
			for i := 1; i <= commits; i++ {
				d := s.Pack(t, i, fmt.Sprint(i))
				words := strings.NewReplacer("@", "sha- integration-", "+", "validated-").Replace(tags(i))
				for tag := range strings.FieldsSeq(words) {
					if strings.HasSuffix(tag, "-") {
						tag += pipelinetest.Commit(i)[:7]
					}
					s.Name(t, d.String(), tag)
				}
			}
			head := string([]byte{'a' + 121}) // the "letter" of commit 122
			silent, reports := &told{head: head, words: "a:success@5"}, &told{head: head, words: "a:success@5"}
			for host, most := range map[*told]int64{nil: most, silent: most, reports: most + maxHistory - maxStables} {
				for _, n := range []int{0, 1, 2, commits / 3, commits - 30, commits} {
					v := verifyOf(t, s, nil, 300)
					if host != nil {
						v.Host = host
						host.asked.Store(0)
					}
					if host == reports {
						v.LiveContext = "kustomization/platform-live"
					}
					if n > 0 {
						v.Commit = pipelinetest.Commit(n)
					}
					s.asked.Store(0)
					r := must(v.Run(t.Context()))
					if asked := s.asked.Load(); asked > most {
						t.Errorf("of commit %d: %d questions", n, asked)
					}
					if host != nil && host.asked.Load() > map[*told]int64{silent: 4, reports: maxHistory + 3}[host] {
						t.Errorf("of commit %d: the statuses of %d commits", n, host.asked.Load())
					}
					if n > 0 && (r.Path[0].State != pipeline.Reached || r.Path[1].State != pipeline.Reached) {
						t.Errorf("of commit %d:\n%s", n, wholeOf(r))
					}
					t.Logf("of commit %d, %v: %d questions, %q", n, v.LiveContext, s.asked.Load(), codes(r.Findings))
				}
			}
		})
	}
}

// The median costs the manifests that were not read yet, each once, and the statuses that were not asked for yet.
func TestVerifyAsksOnceForTheMedian(t *testing.T) {
	s := newShelf(t, expand(longHistory(22)))
	cost := map[string][2]int64{}
	for _, context := range []string{"", "kustomization/platform-live"} {
		host := &told{s: s, live: longReports(22)}
		v := verifyOf(t, s, host, 60)
		v.LiveContext = context
		s.asked.Store(0)
		must(v.Run(t.Context()))
		cost[context] = [2]int64{s.asked.Load(), host.asked.Load()}
	}
	without, with := cost[""], cost["kustomization/platform-live"]
	if more := with[0] - without[0]; more != maxHistory-maxStables {
		t.Errorf("%d more manifests, want %d", more, maxHistory-maxStables)
	}
	if without[1] != 1 || with[1] != maxHistory {
		t.Errorf("the statuses of %d commits, and of %d with the median, want 1 and %d", without[1], with[1], maxHistory)
	}
}
