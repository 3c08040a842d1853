package version

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	tags := strings.Fields("0.0.10 latest 0.0.9 0.0.11-rc.10 v3.0.0 0.0.11-rc.9 0.0.10 0.0.11-rc.9 sha-0123456 1.0 0.0.12-rc1 2147483648.0.0")
	stables := []Stable{{0, 0, 9}, {0, 0, 10}}
	candidates := []Candidate{{Stable{0, 0, 11}, 9}, {Stable{0, 0, 11}, 10}}
	for range 20 {
		rand.Shuffle(len(tags), func(i, j int) { tags[i], tags[j] = tags[j], tags[i] })
		if l := Read(tags); !slices.Equal(l.Stables, stables) || !slices.Equal(l.Candidates, candidates) {
			t.Fatalf("tags %q: got %v and %v", tags, l.Stables, l.Candidates)
		}
	}
}

func TestHighest(t *testing.T) {
	var none Ladder
	if s, ok := none.Stable(); ok {
		t.Errorf("an empty ladder has the stable %s", s)
	}
	if c, ok := none.Newest(); ok {
		t.Errorf("an empty ladder has the candidate %s", c)
	}
	l := Read([]string{"0.0.9", "0.0.10", "0.0.2", "0.0.11-rc.9", "0.0.11-rc.10", "0.0.3-rc.50"})
	if s, ok := l.Stable(); !ok || s != (Stable{0, 0, 10}) {
		t.Errorf("the stable is %s, %v", s, ok)
	}
	if c, ok := l.Newest(); !ok || c.String() != "0.0.11-rc.10" {
		t.Errorf("the newest candidate is %s, %v", c, ok)
	}
}

func TestOpen(t *testing.T) {
	tests := []struct {
		name, stable, candidate string
		want                    bool
	}{
		{"no stable", "", "0.0.1-rc.0", true},
		{"base above", "0.1.5", "0.1.6-rc.0", true},
		{"base is stable", "0.1.5", "0.1.5-rc.4", false},
		{"base below", "0.1.5", "0.1.4-rc.99", false},
		{"numeric order", "0.1.9", "0.1.10-rc.1", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := ParseCandidate(test.candidate)
			if err != nil {
				t.Fatal(err)
			}
			if got := Read(strings.Fields(test.stable)).Open(c); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestFollowing(t *testing.T) {
	for tags, want := range map[string][2]string{ // of Following and NextStable
		"":                              {"0.0.1", "0.0.1"},
		"v9.0.0 9.9.9-beta.1":           {"0.0.1", "0.0.1"},
		"0.0.4":                         {"0.0.5", "0.0.5"},
		"0.0.4 0.0.10":                  {"0.0.11", "0.0.11"},
		"0.0.1-rc.1":                    {"0.0.2", "0.0.1"},
		"0.0.4 0.0.4-rc.9":              {"0.0.5", "0.0.5"},
		"0.0.4 0.0.5-rc.1":              {"0.0.6", "0.0.5"},
		"0.0.4 0.1.0-rc.1 0.0.5-rc.3":   {"0.1.1", "0.0.5"},
		"0.0.2147483647":                {"", ""},
		"0.0.1 0.0.2147483647-rc.1":     {"", "0.0.2"},
		"2147483647.0.0 0.0.2147483647": {"2147483647.0.1", "2147483647.0.1"},
	} {
		l := Read(strings.Fields(tags))
		for i, f := range []func() (Stable, error){l.Following, l.NextStable} {
			s, err := f()
			got := s.String()
			if err != nil {
				got = ""
			}
			if got != want[i] {
				t.Errorf("%q: got %q (%v), want %q", tags, got, err, want[i])
			}
		}
	}
}
