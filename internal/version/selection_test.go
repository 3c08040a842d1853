package version

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// What Flux's source-controller selects, measured with its own code (docs/facts.md 8).
func TestSelect(t *testing.T) {
	const measured = "0.0.1-rc.1 0.0.1-rc.2 0.0.1 0.0.2-rc.1"
	tests := []struct{ name, constraint, tags, want string }{
		{"integration", ">= 0.0.0-0", measured, "0.0.2-rc.1"},
		{"live", ">= 0.0.0", measured, "0.0.1"},
		{"star", "*", measured, "0.0.1"},
		{"tilde with pre-releases", "~0.0.1-0", measured, "0.0.2-rc.1"},
		{"rc.10 above rc.9", ">= 0.0.0-0", "0.0.1-rc.9 0.0.1-rc.10", "0.0.1-rc.10"},
		{"without the dot rc9 is above rc10", ">= 0.0.0-0", "0.0.1-rc9 0.0.1-rc10", "0.0.1-rc9"},
		{"candidates only", ">= 0.0.0", "0.0.1-rc.1 0.0.1-rc.2", ""},
		{"v1.0.0 loses to 1.0.1", ">= 0.0.0", "v1.0.0 1.0.1", "1.0.1"},
		{"v1.0.0 alone counts", ">= 0.0.0", "v1.0.0", "v1.0.0"},
		{"1.0 and 2 are not picked", ">= 0.0.0-0", "1.0 2", ""},
		{"1.0 and 2 do not hide others", ">= 0.0.0-0", "1.0 2 0.0.1-rc.1", "0.0.1-rc.1"},
		{"a stranded candidate", ">= 0.0.0-0", "0.1.5 0.1.5-rc.4", "0.1.5"},
		{"a foreign tag above all", ">= 0.0.0-0", measured + " v2.0.0", "v2.0.0"},
		{"a foreign pre-release above all", ">= 0.0.0-0", measured + " 9.9.9-beta.1", "9.9.9-beta.1"},
		{"a foreign pre-release is nothing to live", ">= 0.0.0", measured + " 9.9.9-beta.1", "0.0.1"},
		{"no versions", ">= 0.0.0-0", "latest sha-0123456 integration-0123456 validated-0123456 main", ""},
		{"a commit tag of digits", ">= 0.0.0-0", "1234567 0.0.1", "0.0.1"},
		{"two v", ">= 0.0.0-0", "vv9.0.0 V8.0.0 0.0.1", "0.0.1"},
		{"a date counts for Flux, leading zeros and all", ">= 0.0.0-0", "2026.01.02 0.0.1", "2026.01.02"},
		{"larger than our own limit", ">= 0.0.0-0", "3000000000.0.0 0.0.1", "3000000000.0.0"},
		{"a rescue", ">= 0.0.0-0", "0.1.5 0.1.6-rc.0", "0.1.6-rc.0"},
		{"no tags", ">= 0.0.0-0", "", ""},
		{"a pinned range", "~0.1", "0.1.9 0.2.0", "0.1.9"},
		{"two of one version, whatever their order", ">= 0.0.0", "v1.0.0 1.0.0", "1.0.0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := ParseConstraint(test.constraint)
			if err != nil {
				t.Fatal(err)
			}
			tags := strings.Fields(test.tags)
			for range 10 {
				if got := c.Select(tags); got != test.want {
					t.Fatalf("from %q: got %q, want %q", tags, got, test.want)
				}
				rand.Shuffle(len(tags), func(i, j int) { tags[i], tags[j] = tags[j], tags[i] })
			}
		})
	}
}

func TestParseConstraint(t *testing.T) {
	for _, s := range []string{">= 0.0.0-0", ">=0.0.0", "*", "~1.2", "^1", "1.x", ">= 1.0.0, < 2.0.0", ">= 1.0.0 || 0.5.0"} {
		if c, err := ParseConstraint(s); err != nil || c.String() != s {
			t.Errorf("%q: got %q, %v", s, c, err)
		}
	}
	for _, s := range []string{"newest", ">=", "1.2.3.4", ">= 1.0.0 and more"} {
		_, err := ParseConstraint(s)
		if err == nil {
			t.Errorf("%.40q is accepted", s)
		} else if !strings.Contains(err.Error(), "constraint such as") {
			t.Errorf("%.40q: the error %.200q does not say what is expected", s, err)
		}
	}
}

// What the two libraries of Flux select, measured with 3.3.1 and 3.5.0 (docs/facts.md 27). The nested module compares at random.
func TestSelectOlder(t *testing.T) {
	const tags = "0.0.1 0.0.2-rc.2 1.0.0-rc.1 2.0.0-rc.1 2.0.0-rc.2"
	for constraint, want := range map[string][2]string{
		">= 0.0.0-0":                       {"2.0.0-rc.2", "2.0.0-rc.2"},
		">= 0.0.0":                         {"0.0.1", "0.0.1"},
		"*":                                {"0.0.1", "0.0.1"},
		"~0.0.1-0":                         {"0.0.2-rc.2", "0.0.2-rc.2"},
		">= 0.0.0-0 < 2.0.0":               {"2.0.0-rc.2", "0.0.1"},
		">= 0.0.0-0 < 2.0.0-0":             {"1.0.0-rc.1", "1.0.0-rc.1"},
		">=0.0.0-0,<1.0.0":                 {"1.0.0-rc.1", "0.0.1"},
		">= 0.0.0, != 1.0.0-rc.1":          {"2.0.0-rc.2", "0.0.1"},
		">= 0.0.0-0, != 2.0.0":             {"2.0.0-rc.2", "2.0.0-rc.2"},
		"!= 0.0.9":                         {"0.0.1", "2.0.0-rc.2"},
		"!= 0.0.x":                         {"", ""},
		"0.0.1-0 - 1.0.0":                  {"1.0.0-rc.1", "0.0.1"},
		"~5 || >= 0.0.0-0 < 2.0.0":         {"2.0.0-rc.2", "0.0.1"},
		">= 0.0.0-0 < 2.0.0 || ~0.0.2-rc0": {"2.0.0-rc.2", "0.0.1"},
		">= 9.0.0-0 < 10.0.0":              {"", ""},
	} {
		c, err := ParseConstraint(constraint)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]string{c.Select(strings.Fields(tags)), c.SelectOlder(strings.Fields(tags))}; got != want {
			t.Errorf("%q selects %q, want %q", constraint, got, want)
		}
	}
}
