package version

import (
	"fmt"
	"testing"
)

func TestRollback(t *testing.T) {
	tests := []struct {
		name, tags, heights, history string
		of                           Stable
		want                         bool
	}{
		{"the first", "0.0.1-rc.1=a 0.0.1=a", "a:1", line, Stable{0, 0, 1}, false},
		{"a newer one", "0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.2=b 0.0.2=b", "a:1 b:2", line, Stable{0, 0, 2}, false},
		{"what a lower stable names", "0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.2=b 0.0.2=b 0.0.3=a", "a:1 b:2", line, Stable{0, 0, 3}, true},
		{"what the stable below names: a higher number", "0.0.1-rc.1=a 0.0.1=a 1.0.0=a", "a:1", line, Stable{1, 0, 0}, true},
		{"what was never live, of lower rank", "0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.1=b 0.0.2=a", "a:1 b:2", line, Stable{0, 0, 2}, true},
		{"of lower rank than one far below", "0.0.1-rc.1=a 0.0.1-rc.3=c 0.0.1=c 0.0.2=y 0.0.3=a", "a:1 c:3", line, Stable{0, 0, 3}, true},
		{"above a legacy stable whose candidates are gone", "0.0.1=a 0.0.2-rc.1=b 0.0.2=b", "", line, Stable{0, 0, 2}, false},
		{"the stable after a rollback", "0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.2=b 0.0.2=b 0.0.3=a 0.0.4-rc.3=c 0.0.4=c", "a:1 b:2 c:3", line, Stable{0, 0, 4}, false},
		{"a stable below a rollback", "0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.2=b 0.0.2=b 0.0.3=a", "a:1 b:2", line, Stable{0, 0, 2}, false},
		{"rewritten history", "0.0.9-rc.5000=y 0.0.9=y 0.0.10-rc.1=a 0.0.10=a", "y:5000 a:1", line, Stable{0, 0, 10}, false},
		{"a hotfix branch, then main", "0.0.2-rc.103=x 0.0.2=x 0.0.3-rc.101=b 0.0.3=b", "x:103 b:101", line, Stable{0, 0, 3}, false},
		{"without ranks: of smaller height", "0.0.1=b 0.0.2=a", "a:1 b:2", line, Stable{0, 0, 2}, true},
		{"without ranks: of greater height", "0.0.1=a 0.0.2=b", "a:1 b:2", line, Stable{0, 0, 2}, false},
		{"without a rank below", "0.0.1=b 0.0.2-rc.1=a 0.0.2=a", "a:1 b:2", line, Stable{0, 0, 2}, true},
		{"after another tool", "0.0.1-rc.9=y 0.0.1=y 0.0.2-rc.2=b 0.0.2=b", "b:2", line, Stable{0, 0, 2}, false},
		{"another tool, of lower rank", "0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.1=b 0.0.2=a", "", line, Stable{0, 0, 2}, true},
		{"another tool, of higher rank", "0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.1=b 0.0.2=b", "", line, Stable{0, 0, 2}, false},
		{"never live, and lifted above an older one since", "0.0.1-rc.2=b 0.0.1-rc.3=c 0.0.1=c 0.0.2=b 0.1.0-rc.1=a 0.1.0-rc.2=b", "a:1 b:2 c:3", line, Stable{0, 0, 2}, true},
		{"never live, and its slow build is done since", "0.0.1-rc.2=b 0.0.1=b 1.0.0=a 1.0.0-rc.1=a", "a:1 b:2", line, Stable{1, 0, 0}, true},
		{"an older commit of a larger bump", "0.0.1-rc.2=b 0.0.1=b 0.1.0-rc.1=a 0.1.0=a", "a:1 b:2", line, Stable{0, 1, 0}, true},
		{"a newer commit than that", "0.0.1-rc.2=b 0.1.0-rc.1=a 0.1.0=a 0.1.1=b", "a:1 b:2", line, Stable{0, 1, 1}, false},
		{"gone", "0.0.1-rc.1=a 0.0.1=a 0.0.2=", "a:1", line, Stable{0, 0, 2}, false},
		{"above one that is gone", "0.0.1-rc.2=b 0.0.1=b 0.0.2= 0.0.3-rc.1=a 0.0.3=b", "a:1 b:2", line, Stable{0, 0, 3}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.tags, test.heights, test.history)
			var got bool
			w.ask(t, w.ladder(), func(l *Ladder) (need Need) { got, need = l.Rollback(test.of); return need })
			if got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// before is a repository in which a rollback to b passed d; in passed e was built then.
const (
	before = "0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.1=b 0.0.2-rc.3=c 0.0.2=c 0.0.3-rc.4=d 0.0.4=b"
	passed = before + " 0.0.5-rc.5=e"
)

func TestHeldBack(t *testing.T) {
	tests := []struct {
		name, tags, of string
		want           bool
	}{
		{"passed", passed, "d", true},
		{"was live before", passed, "c", true},
		{"is what live went back to", passed, "b", false},
		{"built then", passed, "e", false},
		{"without a number", passed, "x", false},
		{"under a later stable that is none", passed + " 0.0.5=e", "d", true},
		{"promoted again", passed + " 0.0.5=d", "d", false},
		{"promoted again, and passed again", passed + " 0.0.5=d 0.0.6=b", "d", true},
		{"the others, when one is promoted again", passed + " 0.0.5=d", "c", true},
		{"nothing is live", "0.0.1-rc.1=a", "a", false},
		{"no rollback", "0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.1=b", "a", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.tags, "a:1 b:2 c:3 d:4 e:5 x:6", "a<b<c<d<e<x")
			var got bool
			w.ask(t, w.ladder(), func(l *Ladder) (need Need) { got, need = l.HeldBack(w.artifact(test.of)); return need })
			if got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestPromoted(t *testing.T) {
	many := ""
	for n := range 50 {
		many += fmt.Sprintf(" 0.1.%d=y%d", n, n)
	}
	tests := []struct{ name, tags, want string }{
		{"never", "0.0.1-rc.1=a 0.0.1=b", ""},
		{"once", "0.0.1=a 0.0.2=b", "0.0.1"},
		{"the highest", "0.0.1=a 0.0.2=b 0.0.3=a 0.0.4=b", "0.0.3"},
		{"below 49 others", "0.0.1=a" + many[len(" 0.1.0=y0"):], "0.0.1"},
		{"below 50 others", "0.0.1=a" + many, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.tags, "", "")
			var s Stable
			var ok bool
			cost := w.ask(t, w.ladder(), func(l *Ladder) (need Need) { s, ok, need = l.Promoted(w.artifact("a")); return need })
			got := ""
			if ok {
				got = s.String()
			}
			if got != test.want || cost.rounds > 7 {
				t.Errorf("got %q and %+v", got, cost)
			}
		})
	}
}
