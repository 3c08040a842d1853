package version

import (
	"fmt"
	"strings"
	"testing"
)

func TestRank(t *testing.T) {
	tests := []struct {
		name, tags, heights, of string
		want                    string
		questions               int
	}{
		{"no tags", "", "a:1", "a", "", 0},
		{"no tag of its height", "0.0.1-rc.1=a 0.0.1-rc.3=c", "a:1 b:2 c:3", "b", "", 0},
		{"one", "0.0.1-rc.1=a 0.0.1-rc.2=b", "a:1 b:2", "a", "0.0.1-rc.1", 1},
		{"the highest of its own", "0.0.1-rc.1=a 0.0.2-rc.1=a 0.1.0-rc.1=a 0.1.0-rc.2=b", "a:1 b:2", "a", "0.1.0-rc.1", 1},
		{"another of its height is above", "0.0.1-rc.5=a 0.0.2-rc.5=x", "a:5 x:5", "a", "0.0.1-rc.5", 2},
		{"its tags are gone", "0.0.1-rc.1=", "a:1", "a", "", 1},
		{"a tag of another height is none of its", "0.0.1-rc.1=a 0.0.2-rc.7=a", "a:1", "a", "0.0.1-rc.1", 1},
		{"two digests of one commit", "0.0.1-rc.1=a 0.0.2-rc.1=a'", "a:1", "a'", "0.0.2-rc.1", 1},
		{"without a height: an open one", "0.0.1-rc.1=a 0.0.1-rc.2=b", "", "a", "0.0.1-rc.1", 2},
		{"without a height: below the stable's base", "0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.1=b 0.0.2-rc.1=c 0.0.2=c", "", "a", "0.0.1-rc.1", 3},
		{"without a height: rc.0 of old", "0.0.1-rc.2=a 0.0.1=b 0.0.2-rc.0=a", "", "a", "0.0.2-rc.0", 1},
		{"without a height: none", "0.0.1-rc.1=a 0.0.1-rc.2=b", "", "x", "", 2},
		{"eight at a time", "0.0.1-rc.7=a 0.0.2-rc.7=b 0.0.3-rc.7=c 0.0.4-rc.7=d 0.0.5-rc.7=e", "a:7", "a", "0.0.1-rc.7", 5},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.tags, test.heights, "")
			var rank Candidate
			var ranked bool
			cost := w.ask(t, w.ladder(), func(l *Ladder) (need Need) { rank, ranked, need = l.Rank(w.artifact(test.of)); return need })
			got := ""
			if ranked {
				got = rank.String()
			}
			if got != test.want || cost.questions != test.questions || cost.rounds > 2 {
				t.Errorf("got %q and %+v, want %q and %d questions", got, cost, test.want, test.questions)
			}
		})
	}
}

// TestRankLooksAtFifty has an artifact of another tool below 50 others.
func TestRankLooksAtFifty(t *testing.T) {
	for n, want := range map[int]bool{49: true, 50: false} {
		tags := "0.0.1-rc.1=a"
		for i := range n {
			tags += fmt.Sprintf(" 0.0.1-rc.%d=x%d", i+2, i)
		}
		w := newWorld(t, tags, "", "")
		var ranked bool
		cost := w.ask(t, w.ladder(), func(l *Ladder) (need Need) { _, ranked, need = l.Rank(w.artifact("a")); return need })
		if ranked != want || cost.questions != 50 || cost.rounds > 8 {
			t.Errorf("below %d others: %v, %+v", n, ranked, cost)
		}
	}
}

// line is a history in which x is a branch beside b, and y a commit that GitHub does not know.
const line = "a<b<c<d a<x"

func TestNewer(t *testing.T) {
	tests := []struct {
		name, tags, heights, history string
		newer, older                 string // "" in older: neither is newer
	}{
		{"the greater height", "0.0.1-rc.1=a 0.0.1-rc.2=b", "a:1 b:2", line, "b", "a"},
		{"the greater height has no rank", "0.0.1-rc.1=a", "a:1 b:2", line, "b", "a"},
		{"the smaller height has no rank", "0.0.1-rc.2=b", "a:1 b:2", line, "b", "a"},
		{"neither has a rank", "", "a:1 b:2", line, "b", "a"},
		{"heights and ranks agree: a branch is not asked about", "0.0.1-rc.2=b 0.0.1-rc.3=x", "b:2 x:3", line, "x", "b"},
		{"a larger bump of an older commit: ahead", "0.1.0-rc.1=a 0.0.1-rc.2=b", "a:1 b:2", line, "b", "a"},
		{"rewritten history: unknown, the higher rank", "0.0.1-rc.5000=y 0.0.2-rc.1=a", "y:5000 a:1", line, "a", "y"},
		{"branched history: diverged, the higher rank", "0.0.1-rc.3=x 0.0.2-rc.2=b", "x:3 b:2", line, "b", "x"},
		{"ranks say otherwise, nobody can be asked: the height", "0.1.0-rc.1=a 0.0.1-rc.2=b", "a:1 b:2", "unasked", "b", "a"},
		{"one height, diverged: the higher rank", "0.0.1-rc.2=x 0.0.2-rc.2=b", "x:2 b:2", line, "b", "x"},
		{"one height, nobody can be asked: the higher rank", "0.0.1-rc.2=x 0.0.2-rc.2=b", "x:2 b:2", "unasked", "b", "x"},
		{"one height, one without a rank", "0.0.1-rc.2=x", "x:2 b:2", line, "b", ""},
		{"one commit packed twice: the higher rank", "0.0.1-rc.1=a 0.0.2-rc.1=a'", "a:1", line, "a'", "a"},
		{"without a height is older, whatever its rank", "0.0.9-rc.9=a 0.0.1-rc.1=b", "b:1", line, "b", "a"},
		{"two without a height: the higher rank", "0.0.1-rc.1=b 0.0.1-rc.2=a", "", line, "a", "b"},
		{"two without a height: one without a rank", "0.0.1-rc.1=a", "", line, "b", "a"},
		{"two without a height, nor a rank", "", "", line, "b", ""},
		{"itself", "0.0.1-rc.1=a", "a:1", line, "a", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.tags, test.heights, test.history)
			newer := func(a, b string) (newer bool) {
				w.ask(t, w.ladder(), func(l *Ladder) (need Need) { newer, need = l.Newer(w.artifact(a), w.artifact(b)); return need })
				return newer
			}
			older := test.older
			if older == "" {
				older = map[string]string{"a": "a", "b": "x"}[test.newer]
			}
			if got := newer(test.newer, older); got != (test.older != "") {
				t.Errorf("%s is newer than %s: %v", test.newer, older, got)
			}
			if newer(older, test.newer) {
				t.Errorf("%s is newer than %s", older, test.newer)
			}
		})
	}
}

// TestContaining is promise 10: what the commit of a candidate contains gets no tag.
func TestContaining(t *testing.T) {
	many := ""
	for n := 11; n <= 20; n++ {
		many += fmt.Sprintf("0.0.1-rc.%d=y%d ", n, n)
	}
	tests := []struct {
		name, tags, heights, history, of string
		want                             string
		questions                        int
	}{
		{"no candidates", "0.0.1=d", "a:1 d:4", line, "a", "", 0},
		{"all are lower", "0.0.1-rc.1=a", "a:1 b:2", line, "b", "", 0},
		{"a later one", "0.0.1-rc.1=a 0.0.1-rc.3=c", "a:1 b:2 c:3", line, "b", "0.0.1-rc.3", 2},
		{"a later one, promoted", "0.0.1-rc.3=c 0.0.1=c", "b:2 c:3", line, "b", "0.0.1-rc.3", 2},
		{"a branch of its height", "0.0.1-rc.2=x", "b:2 x:2", line, "b", "", 1},
		{"a higher branch", "0.0.1-rc.3=x", "b:2 x:3", line, "b", "", 2},
		{"below a higher branch", "0.0.1-rc.3=c 0.0.1-rc.4=x", "b:2 c:3 x:4", line, "b", "0.0.1-rc.3", 4},
		{"itself", "0.0.1-rc.2=b", "b:2", line, "b", "", 1},
		{"its commit packed again", "0.0.1-rc.2=b'", "b:2", line, "b", "", 1},
		{"rewritten: unknown", "0.0.1-rc.5000=y", "b:2 y:5000", line, "b", "", 2},
		{"of another tool", "0.0.1-rc.7=c", "b:2", line, "b", "0.0.1-rc.7", 2},
		{"nobody can be asked: later", "0.0.1-rc.3=c", "b:2 c:3", "unasked", "b", "0.0.1-rc.3", 2},
		{"nobody can be asked: higher, and of one time", "0.0.1-rc.3=c", "b:2@7 c:3@7", "unasked", "b", "0.0.1-rc.3", 2},
		{"nobody can be asked: higher, but of an earlier time", "0.0.1-rc.3=c", "b:2@9 c:3@8", "unasked", "b", "", 2},
		{"gone", "0.0.1-rc.3=", "b:2", line, "b", "", 1},
		{"one digest at two numbers counts once", "0.0.1-rc.4=d 0.0.2-rc.4=d", "b:2 d:4", line, "b", "0.0.2-rc.4", 2},
		{"the ninth is not looked at", "0.0.1-rc.3=c " + many, "b:2 c:3", line, "b", "", 16},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.tags, test.heights, test.history)
			var container Candidate
			var found bool
			cost := w.ask(t, w.ladder(), func(l *Ladder) (need Need) { container, found, need = l.Containing(w.artifact(test.of)); return need })
			got := ""
			if found {
				got = container.String()
			}
			if got != test.want || cost.questions != test.questions || cost.rounds > 4 {
				t.Errorf("got %q and %+v, want %q and %d questions", got, cost, test.want, test.questions)
			}
		})
	}
}

func TestFollows(t *testing.T) {
	tests := []struct {
		name, stable, heights, history string
		want                           bool
	}{
		{"a later commit is live", "0.0.1=c", "b:2 c:3", line, true},
		{"of another tool", "0.0.1=c", "b:2", line, true},
		{"an earlier one", "0.0.1=a", "a:1 b:2", line, false},
		{"itself", "0.0.1=b", "b:2", line, false},
		{"a higher branch", "0.0.1=x", "b:2 x:3", line, false},
		{"nobody can be asked: the height", "0.0.1=c", "b:2 c:3", "unasked", true},
		{"gone", "0.0.1=", "b:2", line, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.stable, test.heights, test.history)
			var got bool
			w.ask(t, w.ladder(), func(l *Ladder) (need Need) { got, need = l.Follows(Stable{0, 0, 1}, w.artifact("b")); return need })
			if got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// TestListsTellMost counts what the rules ask of a repository that is as it mostly is: a line
// of commits, the newest of which is built or promoted.
func TestListsTellMost(t *testing.T) {
	tags, heights, history := "", "", "c1"
	for n := 1; n <= 90; n++ {
		tags += fmt.Sprintf(" 0.0.%d-rc.%d=c%d", (n+2)/3, n, n)
		heights += fmt.Sprintf(" c%d:%d", n, n)
		history += fmt.Sprintf("<c%d", n+1)
		if n%3 == 0 && n < 90 {
			tags += fmt.Sprintf(" 0.0.%d=c%d", n/3, n)
		}
	}
	w := newWorld(t, tags, heights+" c91:91", history)
	for _, test := range []struct {
		name      string
		questions int
		rule      func(l *Ladder) Need
	}{
		{"contained", 0, func(l *Ladder) Need { _, _, need := l.Containing(w.artifact("c91")); return need }},
		{"base", 0, func(l *Ladder) Need { _, _, need := l.Base(Stable{0, 0, 30}, 91, "c91"); return need }},
		{"due", 0, func(l *Ladder) Need { _, _, _, _, need := l.Due(); return need }},
		{"rank", 1, func(l *Ladder) Need { _, _, need := l.Rank(w.artifact("c90")); return need }},
		{"newer", 0, func(l *Ladder) Need { _, need := l.Newer(w.artifact("c90"), w.artifact("c87")); return need }},
		{"held back", 1, func(l *Ladder) Need { _, need := l.HeldBack(w.artifact("c90")); return need }},
	} {
		if got := w.ask(t, w.ladder(), test.rule); got.questions != test.questions {
			t.Errorf("%s: %+v, want %d questions", test.name, got, test.questions)
		}
	}
	if !strings.Contains(tags, "0.0.29=c87") {
		t.Fatal("the stable is not the one of c87")
	}
}
