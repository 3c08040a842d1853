package promote

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

const sofar = "0.0.1-rc.1=a 0.0.1=a +a " // one promotion

// TestRequests counts what a promotion asks of a registry. A login adds two.
func TestRequests(t *testing.T) {
	// 500 candidates that name 5 digests: of artifacts rescued again and again, and of another
	// tool, which counted up.
	rescued, foreign := "", ""
	for n := range 500 {
		rescued += fmt.Sprintf(" 0.%d.0-rc.%d=%c", n, n%5+1, 'a'+n%5)
		foreign += fmt.Sprintf(" 0.0.1-rc.%d=%c*", n+1, 'a'+n%5)
	}
	stables := ""
	for n := range 50 {
		stables += fmt.Sprintf(" 0.0.%d-rc.%d=%c 0.0.%d=%c", n, n/2+1, 'a'+n/2, n, 'a'+n/2)
	}
	for _, row := range []struct {
		name, tags, subject, manual string
		outcome                     pipeline.Outcome
		most                        int
		asks                        string // all of it, sorted within what is asked at once; "" for any
	}{
		{"the event names the candidate", sofar + "0.0.2-rc.2=b", "b via 0.0.2-rc.2", "", pipeline.Promoted, 7,
			"list; read 0.0.2-rc.2; write V; list; write 0.0.2; list; resolve 0.0.2"},
		{"the event names the digest", sofar + "0.0.2-rc.2=b", "b", "", pipeline.Promoted, 8, ""},
		{"the first of all", "0.0.1-rc.1=a", "a via 0.0.1-rc.1", "", pipeline.Promoted, 7, ""},
		{"by commit", sofar + "@b 0.0.2-rc.2=b", "commit b", "", pipeline.Promoted, 9, ""},
		{"by commit, above 500 candidates of 5 digests", "@f 0.499.0=e 0.499.1-rc.6=f" + rescued, "commit f", "", pipeline.Promoted, 9, ""},
		{"by commit, itself of 100 candidates", "@e" + rescued, "commit e", "", pipeline.Promoted, 16, ""}, // 8 of them are looked at
		{"by commit, above 500 candidates of another tool", "@f 0.0.1=e* 0.0.2-rc.6=f" + foreign, "commit f", "", pipeline.Promoted, 30, ""},
		{"by commit, beside another in flight, above 500 candidates of another tool", "@f 0.0.1=e* 0.0.2-rc.6=f 0.0.2-rc.7=g" + foreign, "commit f", "", pipeline.Promoted, 33, ""},
		{"a rollback past 50 stables", stables + " 0.0.50-rc.26=z", "by hand a", "!next", pipeline.Promoted, 75, ""},
		{"with another in flight", sofar + "0.0.2-rc.2=b 0.0.3-rc.3=c", "b via 0.0.2-rc.2", "", pipeline.Promoted, 9, ""},
		{"and the next is rescued", sofar + "0.0.2-rc.2=b 0.0.2-rc.3=c", "b via 0.0.2-rc.2", "", pipeline.Promoted, 14, ""},
		{"again", sofar + "0.0.2-rc.2=b +b 0.0.2=b", "b via 0.0.2-rc.2", "", pipeline.Unchanged, 3, "list; read 0.0.2-rc.2; resolve 0.0.2"},
		{"the echo", sofar + "0.0.2-rc.2=b +b 0.0.2=b", "b via 0.0.2", "", pipeline.Unchanged, 3, ""},
		{"the echo of an old one", sofar + "0.0.2-rc.2=b +b 0.0.2=b", "a via 0.0.1", "", pipeline.Unchanged, 5, ""},
		{"a late event", two + " 0.0.1=b +b", "a via 0.0.1-rc.1", "", pipeline.Superseded, 5, ""},
		{"a late event by commit", two + " @a 0.0.1=b +b", "commit a", "", pipeline.Superseded, 7, ""},
		{"under a rollback", rollback, "c via 0.0.3-rc.3", "", pipeline.Superseded, 8, ""},
		{"a rollback by hand", twice, "by hand a", "next", pipeline.Promoted, 15, ""},
		{"the tag of the event names another by now", two, "b via 0.0.1-rc.1", "", pipeline.Promoted, 9, ""},
		{"nothing to catch up with", sofar, "", "", pipeline.Unchanged, 3, ""},
		{"nothing to catch up with, in flight below", sofar + "0.0.1-rc.2=b 0.0.2-rc.2=b 0.0.2=b +b", "", "", pipeline.Unchanged, 3, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := pipelinetest.NewShelf(t, row.tags)
				c := &counted{Store: s.Store}
				run := promotion(c, nil, manual(row.manual))
				if row.subject != "" {
					sub := subject(s, row.subject)
					run.Subject = sub
				}
				mustRun(t, run, row.outcome, "")
				asked := strings.Join(c.asked, "; ")
				if len(c.asked) > row.most {
					t.Errorf("%d requests, want %d: %s", len(c.asked), row.most, asked)
				}
				validated := pipelinetest.Tag(pipeline.ValidatedPrefix, "b")
				if want := strings.ReplaceAll(row.asks, "V", validated); want != "" && sorted(asked) != sorted(want) {
					t.Errorf("asked %s\nwant  %s", asked, want)
				}
				if t.Failed() || testing.Verbose() {
					t.Log(len(c.asked), asked)
				}
			})
		})
	}
}
