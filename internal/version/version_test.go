package version

import (
	"strings"
	"testing"
)

func TestParseStable(t *testing.T) {
	const above = "2147483648" // one above the largest number of ours
	tests := []struct {
		name, tag string
		want      Stable
		ok        bool
	}{
		{"plain", "1.2.3", Stable{1, 2, 3}, true},
		{"all zero", "0.0.0", Stable{}, true},
		{"ten is not one", "10.20.30", Stable{10, 20, 30}, true},
		{"largest number", "2147483647.0.0", Stable{maxNumber, 0, 0}, true},
		{"major too large", above + ".0.0", Stable{}, false},
		{"minor too large", "0." + above + ".0", Stable{}, false},
		{"patch too large", "0.0." + above, Stable{}, false},
		{"beyond 64 bits", "0.0.18446744073709551616", Stable{}, false},
		{"beyond any length", "0.0.1" + strings.Repeat("0", 300), Stable{}, false},
		{"v prefix", "v1.2.3", Stable{}, false},
		{"V prefix", "V1.2.3", Stable{}, false},
		{"leading zero in major", "01.2.3", Stable{}, false},
		{"leading zero in minor", "1.02.3", Stable{}, false},
		{"leading zero in patch", "1.2.03", Stable{}, false},
		{"double zero", "0.0.00", Stable{}, false},
		{"build metadata", "1.2.3+build", Stable{}, false},
		{"empty build metadata", "1.2.3+", Stable{}, false},
		{"empty pre-release", "1.2.3-", Stable{}, false},
		{"candidate", "1.2.3-rc.1", Stable{}, false},
		{"two numbers", "1.2", Stable{}, false},
		{"four numbers", "1.2.3.4", Stable{}, false},
		{"missing number", "1..3", Stable{}, false},
		{"only dots", "..", Stable{}, false},
		{"negative", "1.-2.3", Stable{}, false},
		{"plus sign", "+1.2.3", Stable{}, false},
		{"hexadecimal", "0x1.2.3", Stable{}, false},
		{"underscore", "1_0.2.3", Stable{}, false},
		{"Arabic-Indic digits", "\u0661.\u0662.\u0663", Stable{}, false},
		{"full-width digits", "\uff11.\uff12.\uff13", Stable{}, false},
		{"space before", " 1.2.3", Stable{}, false},
		{"space after", "1.2.3 ", Stable{}, false},
		{"line break after", "1.2.3\n", Stable{}, false},
		{"NUL after", "1.2.3\x00", Stable{}, false},
		{"empty", "", Stable{}, false},
		{"commit tag", "sha-0123456", Stable{}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseStable(test.tag)
			check(t, test.tag, got, test.want, err, test.ok)
		})
	}
}

func TestParseCandidate(t *testing.T) {
	tests := []struct {
		name, tag string
		want      Candidate
		ok        bool
	}{
		{"plain", "1.2.3-rc.4", Candidate{Stable{1, 2, 3}, 4}, true},
		{"a rescue of old, which is no longer written", "0.0.1-rc.0", Candidate{Stable{0, 0, 1}, 0}, true},
		{"two digits", "0.0.1-rc.10", Candidate{Stable{0, 0, 1}, 10}, true},
		{"larger than a part of the base", "0.0.1-rc.2147483648", Candidate{Stable{0, 0, 1}, 2147483648}, true},
		{"largest number", "0.0.1-rc.9007199254740992", Candidate{Stable{0, 0, 1}, MaxHeight}, true},
		{"number too large", "0.0.1-rc.9007199254740993", Candidate{}, false},
		{"beyond 64 bits", "0.0.1-rc.18446744073709551616", Candidate{}, false},
		{"base too large", "2147483648.0.0-rc.1", Candidate{}, false},
		{"no dot", "1.2.3-rc4", Candidate{}, false},
		{"no number", "1.2.3-rc", Candidate{}, false},
		{"dot without number", "1.2.3-rc.", Candidate{}, false},
		{"leading zero", "1.2.3-rc.01", Candidate{}, false},
		{"double zero", "1.2.3-rc.00", Candidate{}, false},
		{"negative", "1.2.3-rc.-1", Candidate{}, false},
		{"plus", "1.2.3-rc.+1", Candidate{}, false},
		{"hexadecimal", "1.2.3-rc.0x1", Candidate{}, false},
		{"underscore", "1.2.3-rc.1_0", Candidate{}, false},
		{"two numbers", "1.2.3-rc.1.2", Candidate{}, false},
		{"twice", "1.2.3-rc.1-rc.2", Candidate{}, false},
		{"upper case", "1.2.3-RC.1", Candidate{}, false},
		{"other pre-release", "1.2.3-beta.1", Candidate{}, false},
		{"v prefix", "v1.2.3-rc.1", Candidate{}, false},
		{"leading zero in base", "1.02.3-rc.1", Candidate{}, false},
		{"build metadata", "1.2.3-rc.1+build", Candidate{}, false},
		{"stable", "1.2.3", Candidate{}, false},
		{"no base", "rc.1", Candidate{}, false},
		{"Arabic-Indic digit", "1.2.3-rc.\u0661", Candidate{}, false},
		{"space after", "1.2.3-rc.1 ", Candidate{}, false},
		{"line break after", "1.2.3-rc.1\n", Candidate{}, false},
		{"empty", "", Candidate{}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseCandidate(test.tag)
			check(t, test.tag, got, test.want, err, test.ok)
		})
	}
}

func check[T comparable](t *testing.T, tag string, got, want T, err error, ok bool) {
	t.Helper()
	if got != want || (err == nil) != ok {
		t.Fatalf("got %v, %v; want %v, accepted %v", got, err, want, ok)
	}
	if err != nil && !strings.Contains(err.Error(), "X.Y.Z") {
		t.Errorf("the error %q does not say what is expected", err)
	}
}

// A string of digits would order 0.0.10 below 0.0.9 and rc.10 below rc.9.
func TestCompare(t *testing.T) {
	t.Run("stables", func(t *testing.T) {
		ascending := []Stable{{0, 0, 0}, {0, 0, 9}, {0, 0, 10}, {0, 1, 0}, {0, 9, 9}, {0, 10, 0}, {1, 0, 0}, {9, 0, 0}, {10, 0, 0}}
		ordered(t, ascending, Stable.Compare)
	})
	t.Run("candidates", func(t *testing.T) {
		ascending := []Candidate{{Stable{0, 0, 1}, 0}, {Stable{0, 0, 1}, 1}, {Stable{0, 0, 1}, 9}, {Stable{0, 0, 1}, 10},
			{Stable{0, 0, 2}, 1}, {Stable{0, 0, 10}, 0}, {Stable{0, 1, 0}, 0}, {Stable{1, 0, 0}, 0}}
		ordered(t, ascending, Candidate.Compare)
	})
}

func ordered[T any](t *testing.T, ascending []T, compare func(T, T) int) {
	t.Helper()
	for i, a := range ascending {
		for j, b := range ascending {
			if got := compare(a, b); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("compare(%v, %v) = %d", a, b, got)
			}
		}
	}
}
