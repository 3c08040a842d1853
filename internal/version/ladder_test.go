package version

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

func TestNext(t *testing.T) {
	tests := []struct {
		name    string
		tags    string // separated by spaces
		bump    Bump
		initial Stable
		want    string
	}{
		{"no tags", "", Patch, Stable{0, 0, 1}, "0.0.1-rc.1"},
		{"no tags, other first base", "", Patch, Stable{2, 5, 0}, "2.5.0-rc.1"},
		{"no tags: the bump has nothing to raise", "", Major, Stable{0, 0, 1}, "0.0.1-rc.1"},
		{"only foreign tags", "v1.0.0 1.0 latest sha-0123456 9.9.9-beta.1 1.2.3-rc1 validated-0123456", Patch, Stable{0, 0, 1}, "0.0.1-rc.1"},
		{"only candidates", "0.0.1-rc.1 0.0.1-rc.2", Patch, Stable{0, 0, 1}, "0.0.1-rc.3"},
		{"ten after nine", "0.0.1-rc.9 0.0.1-rc.10", Patch, Stable{0, 0, 1}, "0.0.1-rc.11"},
		{"a gap is not filled", "0.0.1-rc.1 0.0.1-rc.7", Patch, Stable{0, 0, 1}, "0.0.1-rc.8"},
		{"only a stable", "0.0.1", Patch, Stable{0, 0, 1}, "0.0.2-rc.1"},
		{"the highest stable, not the longest list", "0.0.9 0.0.10 0.0.8", Patch, Stable{0, 0, 1}, "0.0.11-rc.1"},
		{"promoted candidates", "0.0.1-rc.1 0.0.1-rc.2 0.0.1", Patch, Stable{0, 0, 1}, "0.0.2-rc.1"},
		{"stranded candidate below the stable", "0.0.4-rc.9 0.0.5", Patch, Stable{0, 0, 1}, "0.0.6-rc.1"},
		{"stranded candidate at the stable", "0.0.5-rc.9 0.0.5", Patch, Stable{0, 0, 1}, "0.0.6-rc.1"},
		{"candidates of the next base", "0.0.5 0.0.6-rc.1", Patch, Stable{0, 0, 1}, "0.0.6-rc.2"},
		{"after a rescue builds start at rc.1", "0.0.5-rc.9 0.0.5 0.0.6-rc.0", Patch, Stable{0, 0, 1}, "0.0.6-rc.1"},
		{"minor", "0.3.7", Minor, Stable{0, 0, 1}, "0.4.0-rc.1"},
		{"major", "0.3.7", Major, Stable{0, 0, 1}, "1.0.0-rc.1"},
		{"minor above a patch candidate", "0.3.7 0.3.8-rc.4", Minor, Stable{0, 0, 1}, "0.4.0-rc.1"},
		{"minor below a major candidate", "0.3.7 1.0.0-rc.2", Minor, Stable{0, 0, 1}, "1.0.0-rc.3"},
		{"patch below a minor candidate", "0.3.7 0.4.0-rc.2", Patch, Stable{0, 0, 1}, "0.4.0-rc.3"},
		{"major at an existing major candidate", "0.3.7 1.0.0-rc.2", Major, Stable{0, 0, 1}, "1.0.0-rc.3"},
		{"initial above the candidates", "0.0.1-rc.3", Patch, Stable{1, 0, 0}, "1.0.0-rc.1"},
		{"initial below the candidates", "2.0.0-rc.3", Patch, Stable{1, 0, 0}, "2.0.0-rc.4"},
		{"initial no longer counts once there is a stable", "0.0.1", Patch, Stable{1, 0, 0}, "0.0.2-rc.1"},
		{"unsorted, some twice", "0.0.2-rc.1 0.0.1 0.0.2-rc.2 0.0.1-rc.1 0.0.2-rc.1 0.0.1 0.0.2-rc.2", Patch, Stable{0, 0, 1}, "0.0.2-rc.3"},
		{"zero is a version", "0.0.0", Patch, Stable{0, 0, 1}, "0.0.1-rc.1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Read(strings.Fields(test.tags)).Next(test.bump, test.initial)
			if err != nil || got.String() != test.want {
				t.Errorf("got %s, %v; want %s", got, err, test.want)
			}
		})
	}
}

func TestNextAtTheLimit(t *testing.T) {
	tests := []struct {
		name, tags string
		bump       Bump
	}{
		{"number of the candidate", "0.0.1-rc.2147483647", Patch},
		{"patch", "0.0.2147483647", Patch},
		{"minor", "0.2147483647.0", Minor},
		{"major", "2147483647.0.0", Major},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Read(strings.Fields(test.tags)).Next(test.bump, Stable{0, 0, 1})
			if err == nil {
				t.Fatalf("got %s, which no run could read back", got)
			}
			if !strings.Contains(err.Error(), "2147483648") {
				t.Errorf("the error %q does not name the version", err)
			}
		})
	}
	t.Run("a higher bump still has room", func(t *testing.T) {
		got, err := Read([]string{"0.0.2147483647"}).Next(Minor, Stable{0, 0, 1})
		if err != nil || got.String() != "0.1.0-rc.1" {
			t.Errorf("got %s, %v", got, err)
		}
	})
}

func TestRead(t *testing.T) {
	tags := strings.Fields("0.0.10 latest 0.0.9 0.0.11-rc.10 v3.0.0 0.0.11-rc.9 0.0.10 0.0.11-rc.9 sha-0123456 1.0 0.0.12-rc1 2147483648.0.0")
	want := Ladder{
		Stables:    []Stable{{0, 0, 9}, {0, 0, 10}},
		Candidates: []Candidate{{Stable{0, 0, 11}, 9}, {Stable{0, 0, 11}, 10}},
	}
	for range 20 {
		rand.Shuffle(len(tags), func(i, j int) { tags[i], tags[j] = tags[j], tags[i] })
		if got := Read(tags); !reflect.DeepEqual(got, want) {
			t.Fatalf("tags %q: got %v, want %v", tags, got, want)
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

func TestAbove(t *testing.T) {
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
			if got := Read(strings.Fields(test.stable)).Above(c); got != test.want {
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
