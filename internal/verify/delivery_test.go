package verify

import (
	"strings"
	"testing"
)

// A report that GitHub refused comes again by itself once the token is good (docs/facts.md 4): nobody is told that he must
// promote by hand.
func TestReportThatDidNotArrive(t *testing.T) {
	s := newShelf(t, expand("@a +a 0.0.1-rc.1=a 0.0.1=a @b 0.0.2-rc.2=b"))
	v := verifyOf(t, s, &told{s: s, head: "b"}, late)
	both("0.0.2-rc.2=b", "0.0.1=a")(t, s, &v)
	r := must(v.Run(t.Context()))
	if got := codes(r.Findings); got != "!provider-failing" {
		t.Fatalf("findings %s", got)
	}
	hint := r.Findings[0].Hint
	if strings.Contains(hint, "not repeat") || !strings.Contains(hint, "reports again at spec.interval") {
		t.Errorf("hint %q", hint)
	}
}
