package version

import "testing"

func TestSuperseded(t *testing.T) {
	tests := []struct {
		name, tags, history, of string
		want                    bool
		compared                int
	}{
		{"nothing is live, the newest", "0.0.1-rc.1=a 0.0.1-rc.2=b", "a<b", "b", false, 0},
		{"nothing is live, contained in the newest", "0.0.1-rc.1=a 0.0.1-rc.2=b", "a<b", "a", true, 1},
		{"nothing is live, beside the newest", "0.0.1-rc.1=a 0.0.1-rc.2=b", "a b", "a", false, 1},
		{"nothing is live, the newest is behind it", "0.0.1-rc.2=b 0.0.2-rc.1=a", "a<b", "b", false, 1},
		{"GitHub does not know the commit", "0.0.1-rc.1=a 0.0.1-rc.2=b", "b", "a", false, 1},
		{"nobody can be asked", "0.0.1-rc.1=a 0.0.1-rc.2=b", "unasked", "a", false, 1},
		{"another artifact of the newest's commit", "0.0.1-rc.1=a' 0.0.2-rc.1=a", "a", "a'", false, 0},
		{"no candidate at all", "0.0.1=a", "a<b", "b", false, 0},
		{"of the stable's height less one", "0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.1=b", "a<b", "a", true, 0},
		{"newer than the stable's, and the newest", "0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.2=b", "a<b", "b", false, 0},
		{"newer than the stable's, and contained in the newest", "0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.2=b 0.0.2-rc.3=c", "a<b<c", "b", true, 1},
		{"held back", before, "unasked", "d", true, 0},
		{"built after the rollback", passed, "unasked", "e", false, 0},
		{"ranks say otherwise: ahead of the stable's", "0.0.1-rc.2=b 0.1.0-rc.1=a 0.1.0=a", "a<b", "b", false, 2},
		{"ranks say otherwise: behind the stable's", "0.0.1-rc.3=c 0.1.0-rc.2=b 0.1.0=b", "c<b", "c", true, 1},
		{"the stable is gone", "0.0.1-rc.1=a 0.0.1=", "a", "a", false, 0},
		{"the newest is gone", "0.0.1-rc.1=a 0.0.1-rc.2=", "a", "a", false, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.tags, "a:1 b:2 c:3 d:4 e:5", test.history)
			l, compared := w.ladder(), 0
			for tag := range w.tags {
				w.tell(l, tag)
			}
			var got bool
			w.ask(t, l, func(l *Ladder) (need Need) {
				got, need = l.Superseded(w.artifact(test.of))
				compared += len(need.Compare)
				return need
			})
			if got != test.want || compared != test.compared {
				t.Errorf("got %v after %d comparisons", got, compared)
			}
		})
	}
}

// TestWitnesses: the stable that shows a rollback, and the rollback that holds an artifact back, are the highest that do.
func TestWitnesses(t *testing.T) {
	const again = passed + " 0.0.6=a" // and live went back once more
	w := newWorld(t, again, "a:1 b:2 c:3 d:4 e:5", "a<b<c<d<e")
	for s, want := range map[Stable]string{{0, 0, 1}: "", {0, 0, 2}: "", {0, 0, 4}: "0.0.2", {0, 0, 6}: "0.0.4"} {
		var from Stable
		var back bool
		w.ask(t, w.ladder(), func(l *Ladder) (need Need) { from, back, need = l.WentBack(s); return need })
		if got := from.String(); back != (want != "") || back && got != want {
			t.Errorf("%s went back from %s, %v; want %q", s, got, back, want)
		}
	}
	w = newWorld(t, passed, "a:1 b:2 c:3 d:4 e:5", "a<b<c<d<e")
	for of, want := range map[string]string{"a": "0.0.4", "b": "", "c": "0.0.4", "d": "0.0.4", "e": ""} {
		var by Stable
		var held bool
		w.ask(t, w.ladder(), func(l *Ladder) (need Need) { by, held, need = l.HeldBy(w.artifact(of)); return need })
		if got := by.String(); held != (want != "") || held && got != want {
			t.Errorf("%s is held by %s, %v; want %q", of, got, held, want)
		}
	}
}
