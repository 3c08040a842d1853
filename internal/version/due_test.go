package version

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

func TestBase(t *testing.T) {
	tests := []struct {
		name    string
		tags    string
		bump    Bump
		initial Stable
		n       uint64
		want    string // for the artifact a
	}{
		{"no tags", "", Patch, Stable{0, 0, 1}, 7, "0.0.1-rc.7"},
		{"no tags, other first base", "", Patch, Stable{2, 5, 0}, 7, "2.5.0-rc.7"},
		{"no tags: the bump has nothing to raise", "", Major, Stable{0, 0, 1}, 7, "0.0.1-rc.7"},
		{"only candidates", "0.0.1-rc.5=x 0.0.1-rc.6=y", Patch, Stable{0, 0, 1}, 7, "0.0.1-rc.7"},
		{"ten after nine", "0.0.1-rc.9=x", Patch, Stable{0, 0, 1}, 10, "0.0.1-rc.10"},
		{"only a stable", "0.0.1=x", Patch, Stable{0, 0, 1}, 7, "0.0.2-rc.7"},
		{"the highest stable, not the longest list", "0.0.9=x 0.0.10=y 0.0.8=z", Patch, Stable{0, 0, 1}, 7, "0.0.11-rc.7"},
		{"promoted candidates", "0.0.1-rc.5=x 0.0.1-rc.6=y 0.0.1=x", Patch, Stable{0, 0, 1}, 7, "0.0.2-rc.7"},
		{"candidates of the next base", "0.0.5=x 0.0.6-rc.6=y", Patch, Stable{0, 0, 1}, 7, "0.0.6-rc.7"},
		{"minor", "0.3.7=x", Minor, Stable{0, 0, 1}, 7, "0.4.0-rc.7"},
		{"major", "0.3.7=x", Major, Stable{0, 0, 1}, 7, "1.0.0-rc.7"},
		{"minor above a patch candidate", "0.3.7=x 0.3.8-rc.4=y", Minor, Stable{0, 0, 1}, 7, "0.4.0-rc.7"},
		{"minor below a major candidate", "0.3.7=x 1.0.0-rc.2=y", Minor, Stable{0, 0, 1}, 7, "1.0.0-rc.7"},
		{"patch below a minor candidate", "0.3.7=x 0.4.0-rc.2=y", Patch, Stable{0, 0, 1}, 7, "0.4.0-rc.7"},
		{"initial above the candidates", "0.0.1-rc.3=x", Patch, Stable{1, 0, 0}, 7, "1.0.0-rc.7"},
		{"initial below the candidates", "2.0.0-rc.3=x", Patch, Stable{1, 0, 0}, 7, "2.0.0-rc.7"},
		{"initial no longer counts once there is a stable", "0.0.1=x", Patch, Stable{1, 0, 0}, 7, "0.0.2-rc.7"},
		{"zero is a version", "0.0.0=x", Patch, Stable{0, 0, 1}, 7, "0.0.1-rc.7"},

		{"ours", "0.0.1-rc.7=a", Patch, Stable{0, 0, 1}, 7, "0.0.1-rc.7"},
		{"ours, below another", "0.0.1-rc.7=a 0.0.1-rc.8=x", Patch, Stable{0, 0, 1}, 7, "0.0.2-rc.7"},
		{"ours, on a higher base", "0.0.1-rc.7=x 0.0.2-rc.7=a", Patch, Stable{0, 0, 1}, 7, "0.0.2-rc.7"},
		{"taken", "0.0.1-rc.7=x", Patch, Stable{0, 0, 1}, 7, "0.0.2-rc.7"},
		{"taken twice", "0.0.1-rc.7=x 0.0.2-rc.7=y", Patch, Stable{0, 0, 1}, 7, "0.0.3-rc.7"},
		{"gone counts as taken", "0.0.1-rc.7=", Patch, Stable{0, 0, 1}, 7, "0.0.2-rc.7"},
		{"taken below the stable", "0.0.1-rc.7=x 0.0.1=y", Patch, Stable{0, 0, 1}, 7, "0.0.2-rc.7"},
		{"above every open candidate", "0.0.1=x 0.0.2-rc.120=y", Patch, Stable{0, 0, 1}, 101, "0.0.3-rc.101"},
		{"a promoted branch burns no base", "0.0.1-rc.103=x 0.0.1=x", Patch, Stable{0, 0, 1}, 101, "0.0.2-rc.101"},
		{"a greater number of another tool", "0.0.1-rc.57=x", Patch, Stable{0, 0, 1}, 12, "0.0.2-rc.12"},
		{"a smaller number of another tool", "0.0.1-rc.5=x", Patch, Stable{0, 0, 1}, 12, "0.0.1-rc.12"},
		{"rewritten history", "0.0.9-rc.5000=x 0.0.9=x", Patch, Stable{0, 0, 1}, 1, "0.0.10-rc.1"},
		{"rewritten history, before any stable", "0.0.1-rc.5000=x", Patch, Stable{0, 0, 1}, 1, "0.0.2-rc.1"},
		{"rc.0 of old", "0.0.1=x 0.0.2-rc.0=y", Patch, Stable{0, 0, 1}, 7, "0.0.2-rc.7"},

		{"the largest height", "", Patch, Stable{0, 0, 1}, MaxHeight, "0.0.1-rc.9007199254740992"},
		{"a height too large", "", Patch, Stable{0, 0, 1}, MaxHeight + 1, ""},
		{"no patch is left", "0.0.2147483647=x", Patch, Stable{0, 0, 1}, 7, ""},
		{"no minor is left", "0.2147483647.0=x", Minor, Stable{0, 0, 1}, 7, ""},
		{"no major is left", "2147483647.0.0=x", Major, Stable{0, 0, 1}, 7, ""},
		{"no base is left above an open candidate", "0.0.2147483647-rc.8=x", Patch, Stable{0, 0, 1}, 7, ""},
		{"a higher bump still has room", "0.0.2147483647=x", Minor, Stable{0, 0, 1}, 7, "0.1.0-rc.7"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.tags, "", "")
			l, from := w.ladder(), test.initial
			if s, ok := l.Stable(); ok {
				from = s.Bump(test.bump)
			}
			var c Candidate
			var ok bool
			w.ask(t, l, func(l *Ladder) (need Need) { c, ok, need = l.Base(from, test.n, "a"); return need })
			got := ""
			if ok {
				got = c.String()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestDue has each world written to until nothing is due.
func TestDue(t *testing.T) {
	tests := []struct {
		name, tags, heights, history string
		want                         string
	}{
		{"no tags", "", "", line, ""},
		{"one candidate", "0.0.1-rc.1=a", "a:1", line, ""},
		{"a stable without candidates", "0.0.1=a", "a:1", line, ""},
		{"the newest is highest", "0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.2=b 0.0.2-rc.3=c", "a:1 b:2 c:3", line, ""},
		{"the newest is live", "0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.1=b", "a:1 b:2", line, ""},

		{"rescue after a promotion", "0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.1=a", "a:1 b:2", line, "0.0.2-rc.2=b"},
		{"rescue of the newest alone", "0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.1-rc.3=c 0.0.1=a", "a:1 b:2 c:3", line, "0.0.2-rc.3=c"},
		{"rescue where nobody can be asked", "0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.1=a", "a:1 b:2", "unasked", "0.0.2-rc.2=b"},
		{"rescue above a version by hand", "0.0.1-rc.1=a 0.0.1-rc.2=b 9.0.0=a", "a:1 b:2", line, "9.0.1-rc.2=b"},
		{"rescue of a branch: rank suffices", "0.0.1-rc.2=b 0.0.1-rc.3=x 0.0.1=b", "b:2 x:3", line, "0.0.2-rc.3=x"},
		{"rescue by rank, then the newer one above it", "0.0.1-rc.3=c 0.1.0-rc.2=b 0.1.1-rc.1=a 0.1.1=a", "a:1 b:2 c:3", line, "0.1.2-rc.2=b 0.1.2-rc.3=c"},
		{"what was live is not rescued", "0.0.1-rc.2=b 0.0.1=b 0.1.0-rc.1=a 0.1.0=a", "a:1 b:2", line, ""},

		{"1: a slow older commit with a larger bump", "0.0.1-rc.2=b 0.0.1=b 0.1.0-rc.1=a", "a:1 b:2", line, "0.1.0-rc.2=b"},
		{"1: before the newer one is promoted", "0.0.1-rc.2=b 0.1.0-rc.1=a", "a:1 b:2", line, "0.1.0-rc.2=b"},
		{"1: nobody can be asked", "0.0.1-rc.2=b 0.0.1=b 0.1.0-rc.1=a", "a:1 b:2", "unasked", ""},
		{"1: the newest of several", "0.0.1-rc.2=b 0.0.1=b 0.0.2-rc.3=c 0.0.2-rc.4=d 0.1.0-rc.1=a", "a:1 b:2 c:3 d:4", line, "0.1.0-rc.4=d"},
		{"1: what was live once is not lifted", "0.0.1-rc.3=c 0.0.1=c 0.1.0-rc.2=b 0.1.0=b 0.2.0-rc.1=a", "a:1 b:2 c:3", line, "0.2.0-rc.2=b"},

		{"2: the first commit of a rewritten history", "0.0.9-rc.5000=y 0.0.9=y 0.0.10-rc.1=a", "y:5000 a:1", line, ""},
		{"2: it is promoted", "0.0.9-rc.5000=y 0.0.9=y 0.0.10-rc.1=a 0.0.10=a", "y:5000 a:1", line, ""},
		{"2: the one in flight is rescued", "0.0.9-rc.5000=y 0.0.9=y 0.0.10-rc.1=a 0.0.10-rc.2=b 0.0.10=a", "y:5000 a:1 b:2", line, "0.0.11-rc.2=b"},
		{"2: the old one in flight is not", "0.0.9-rc.4999=x 0.0.9=x 0.0.10-rc.5000=y 0.0.11-rc.1=a 0.0.11=a", "x:4999 y:5000 a:1", "a<b<c x<z", ""},

		{"3: a hotfix branch is live, its squash is built", "0.0.1-rc.103=x 0.0.1=x 0.0.2-rc.101=b", "x:103 b:101", line, ""},
		{"3: the squash is live", "0.0.1-rc.103=x 0.0.1=x 0.0.2-rc.101=b 0.0.2=b", "x:103 b:101", line, ""},
		{"3: the next one is rescued", "0.0.1-rc.103=x 0.0.1=x 0.0.2-rc.101=b 0.0.2-rc.102=c 0.0.2=b", "x:103 b:101 c:102", line, "0.0.3-rc.102=c"},
		{"3: a branch beside main", "0.0.1-rc.100=a 0.0.1=a 0.0.2-rc.120=x 0.0.3-rc.101=b", "a:100 x:120 b:101", line, ""},
		{"3: the branch is skipped for the next", "0.0.1-rc.100=a 0.0.1=a 0.0.2-rc.102=c 0.0.2-rc.120=x 0.0.3-rc.101=b", "a:100 x:120 b:101 c:102", line, "0.0.3-rc.102=c"},

		{"4: a rollback passes a candidate", before, "a:1 b:2 c:3 d:4", "a<b<c<d", ""},
		{"4: and holds when one is built then", passed, "a:1 b:2 c:3 d:4 e:5", "a<b<c<d<e", ""},
		{"4: and under a later stable", passed + " 0.0.5=e", "a:1 b:2 c:3 d:4 e:5", "a<b<c<d<e", ""},
		{"4: and when a slow older commit comes", before + " 0.1.0-rc.1=a", "a:1 b:2 c:3 d:4", "a<b<c<d", "0.1.0-rc.2=b"},
		{"4: until the artifact is promoted again, which frees no other", strings.Replace(passed, "0.0.5-rc.5=e", "0.0.5=c", 1), "a:1 b:2 c:3 d:4", "a<b<c<d", ""},
		{"4: next for what was never live", "0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.1-rc.3=c 0.0.1=c 0.0.2-rc.4=d 0.0.3=b", "a:1 b:2 c:3 d:4", "a<b<c<d", ""},
		{"4: and when that is lifted above a slow older commit", "0.0.1-rc.2=b 0.0.1-rc.3=c 0.0.1=c 0.0.2-rc.4=d 0.0.3=b 0.1.0-rc.1=a", "a:1 b:2 c:3 d:4", line, "0.1.0-rc.2=b"},
		{"a promotion by the rules passes nothing", "0.0.1-rc.2=b 0.0.1-rc.3=c 0.1.0-rc.1=a 0.1.0=a 0.1.1-rc.3=c 0.1.1=b", "a:1 b:2 c:3", line, "0.1.2-rc.3=c"},

		{"two digests of one commit", "0.0.1-rc.2=b 0.0.2-rc.2=b' 0.0.1=b", "b:2", line, ""},
		{"two digests of one commit, the second in flight", "0.0.1-rc.2=b 0.0.2-rc.2=b' 0.0.2=b", "b:2", line, "0.0.3-rc.2=b'"},

		{"of another tool: keeps its N", "0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.1-rc.3=c 0.0.1=b", "", line, "0.0.2-rc.3=c"},
		{"of another tool: rc.0 is not written again", "0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.1-rc.3=c 0.0.1=a 0.0.2-rc.0=c 0.0.2=b", "", line, "0.0.3-rc.1=c"},
		{"a number by hand that is not its height", "0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.9=c 0.0.2-rc.2=b 0.0.2=b", "a:1 b:2 c:3", line, "0.0.3-rc.3=c"},
		{"of another tool: it is live by hand", "0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.1=b 0.0.2-rc.1=c 0.0.2=c 0.0.3=a", "", line, ""},
		{"after another tool: a build with a smaller number", "0.0.1-rc.57=x 0.0.1=x 0.0.2-rc.12=c", "c:12", line, ""},
		{"after another tool: its greater number is open", "0.0.1-rc.56=x 0.0.1=x 0.0.2-rc.57=b 0.0.3-rc.12=c", "c:12", line, ""},

		{"the stable is gone", "0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.1=", "a:1 b:2", line, ""},
		{"the top is gone", "0.0.1-rc.2=b 0.0.1=b 0.1.0-rc.1=", "b:2", line, ""},
		{"no version is left", "0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.2147483647=a", "a:1 b:2", line, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.tags, test.heights, test.history)
			var got []string
			for {
				c, a, ok := w.due(t)
				if !ok {
					break
				}
				got = append(got, c.String()+"="+string(a.Digest))
				if _, taken := w.tags[c.String()]; taken || len(got) > 8 {
					t.Fatalf("due is %s", got)
				}
				w.write(c.String(), a.Digest)
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("due is %s, want %q", got, test.want)
			}
		})
	}
}

func (w *world) due(t testing.TB) (c Candidate, a Artifact, ok bool) {
	t.Helper()
	w.ask(t, w.ladder(), func(l *Ladder) (need Need) { c, a, _, ok, need = l.Due(); return need })
	return c, a, ok
}

// TestDueKeepsTheNumber tells from which candidate an artifact is lifted.
func TestDueKeepsTheNumber(t *testing.T) {
	w := newWorld(t, "0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.1=a", "a:1 b:2", line)
	var to, from Candidate
	var a Artifact
	w.ask(t, w.ladder(), func(l *Ladder) (need Need) { to, a, from, _, need = l.Due(); return need })
	if to.String() != "0.0.2-rc.2" || from.String() != "0.0.1-rc.2" || a.Digest != digest.Digest("b") {
		t.Errorf("%s gets %s, from %s", a.Digest, to, from)
	}
}

// TestDueAfterARollback: of all that a rollback passed, and so holds back, few are looked at.
func TestDueAfterARollback(t *testing.T) {
	tags, heights, history := "0.0.1=c1 0.0.2=c60 0.0.3=c1", "", "c1"
	for n := 1; n <= 60; n++ {
		tags += fmt.Sprintf(" 0.0.%d-rc.%d=c%d", 1+n/30, n, n)
		heights += fmt.Sprintf(" c%d:%d", n, n)
		history += fmt.Sprintf("<c%d", n+1)
	}
	w := newWorld(t, tags, heights, history)
	due := false
	got := w.ask(t, w.ladder(), func(l *Ladder) (need Need) { _, _, _, due, need = l.Due(); return need })
	if due || got.questions > 12 {
		t.Errorf("due %v, %+v", due, got)
	}
}
