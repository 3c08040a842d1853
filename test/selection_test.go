package test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
	fluxversion "github.com/fluxcd/pkg/version"
	before340 "semver.invalid/before340/v3"

	"github.com/oci-promote/oci-promote/internal/version"
)

// constraints are what people write into ref.semver of an OCIRepository.
var constraints = []string{
	">= 0.0.0-0", ">= 0.0.0", "*", "*-0", "~0.0.1-0", "~1.0.0", "^1.0.0-0", "^0.0.1", "1.x", "1.0.x-0", "0.0.1", "=1.0.0-rc.2",
	">= 0.0.1-rc.1 < 0.0.2", "< 1.0.0-0", "1.0.0 - 2.0.0", "!= 1.0.0", "~0 || ^2-0", ">= 9.9.9",
}

// randomTag is what may lie in a repository: ours, other people's versions, and no versions at all.
func randomTag(r *rand.Rand) string {
	n := func() int { return []int{0, 0, 1, 1, 2, 9, 10, 11, 2147483648}[r.IntN(9)] }
	base := fmt.Sprintf("%d.%d.%d", min(n(), 11), min(n(), 11), n())
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	switch r.IntN(12) {
	case 0, 1:
		return base
	case 2, 3, 4:
		return fmt.Sprintf("%s-rc.%d", base, n())
	case 5:
		return "v" + base + pick("", "-rc.1", "-0", "-rc1")
	case 6:
		return base + pick("-rc9", "-rc10", "-beta.1", "-alpha", "-rc", "-rc.", "-rc.01", "-1", "-RC.1", "-rc.1.2", "--", "-x-y.7", "-beta..1")
	case 7:
		return base + pick("+build.5", "-rc.1+7", "+", "_build", "-rc.1_7")
	case 8:
		return pick("1", "1.0", "v1", "v2.0", "2.x", "1.*", "*", "x", "01", "1.0-rc.1", "v1.0-beta.1", ".1.0", "1..0", "1.0.", "v", "V1.0.0", "vv1.0.0")
	case 9:
		return pick("", "v") + pick("01.0.0", "1.00.0", "1.0.010", "2025.02.03", "2025.02.03-rc.1", "00.0.01-rc.1", "1.0.00-0")
	case 10:
		return pick("latest", "main", "sha-1a2b3c4", "integration-1a2b3c4", "validated-1a2b3c4", "sha256-"+strings.Repeat("ab", 32)+".sig")
	default:
		return pick("1.0.0.0", "1.2.3.4-rc.1", "99999999999999999999.0.0", "1.0.18446744073709551616", "-1.0.0", "1.-1.0", "1.0.0-rc.18446744073709551616",
			"1.0.0 ", " 1.0.0", "1.0.0\n", "1,0,0", "１.０.０", "1.0.0-ü", "", "0x1.0.0", "1e3.0.0", "_1.0.0", "1.0.0-rc.9223372036854775808")
	}
}

// highest is source-controller's rule (internal/oci.getTagBySemver): what ParseVersion understands and the constraint
// admits, sorted, the highest. Of equal versions it takes any, so all of them come back here.
func highest(c *semver.Constraints, tags []string) []string {
	var found []*semver.Version
	for _, tag := range tags {
		if v, err := fluxversion.ParseVersion(tag); err == nil && c.Check(v) {
			found = append(found, v)
		}
	}
	slices.SortFunc(found, func(a, b *semver.Version) int { return b.Compare(a) })
	var equal []string
	for _, v := range found {
		if v.Compare(found[0]) == 0 {
			equal = append(equal, v.Original())
		}
	}
	return equal
}

// TestSelectionIsFluxs: what the report says that a cluster will select is what source-controller selects.
func TestSelectionIsFluxs(t *testing.T) {
	const lists = 4000
	r := rand.New(rand.NewPCG(2026, 11))
	empty, ties, foreign, wrong := 0, 0, 0, 0
	for i := range lists {
		tags := make([]string, r.IntN(20))
		for j := range tags {
			tags[j] = randomTag(r)
		}
		text := constraints[i%len(constraints)]
		reference, err := semver.NewConstraint(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		ours, err := version.ParseConstraint(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		want, got := highest(reference, tags), ours.Select(tags)
		reversed := slices.Clone(tags)
		slices.Reverse(reversed)
		if again := ours.Select(reversed); again != got {
			t.Errorf("%q of %q selects %q, in another order %q", text, tags, got, again)
		}
		switch {
		case len(want) == 0:
			empty++
		case len(want) > 1:
			ties++
		}
		if len(want) > 0 && strings.HasPrefix(want[0], "v") {
			foreign++
		}
		if got == "" && len(want) == 0 || slices.Contains(want, got) {
			continue
		}
		if wrong++; wrong <= 10 {
			t.Errorf("%q of %q selects %q, Flux one of %q", text, tags, got, want)
		}
	}
	t.Logf("of %d lists, %d select nothing, %d have a tie, %d select a tag with v", lists, empty, ties, foreign)
	if wrong > 0 {
		t.Errorf("%d of %d lists are selected from in another way than Flux's", wrong, lists)
	}
	if empty > lists/2 || ties < lists/100 || foreign < lists/100 {
		t.Error("the lists are too alike: the test says little")
	}
}

// randomConstraint is what people may write, comparators in groups: with pre-releases and without, whole and in parts.
func randomConstraint(r *rand.Rand) string {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	groups := make([]string, 1+r.IntN(2))
	for i := range groups {
		all := make([]string, 1+r.IntN(3))
		for j := range all {
			all[j] = pick("", "=", "!=", "!= ", ">", "< ", ">= ", "=>", "<=", "~", "~>", "^") + pick("", "", "v") +
				pick("0", "1", "1.x", "0.0", "1.0", "1.*", "0.0.0", "0.0.1", "1.0.0", "1.0.x", "2.0.0", "11.0.0", "0.1.1") + pick("", "", "-0", "-rc.1", "-rc.9", "+7")
		}
		groups[i] = strings.Join(all, pick(" ", ", ", ","))
		if r.IntN(10) == 0 {
			groups[i] = fmt.Sprintf("%d.%d.0%s - %d.0.0%s", r.IntN(2), r.IntN(2), pick("", "-0"), 1+r.IntN(10), pick("", "-0"))
		}
	}
	return strings.Join(groups, pick("||", " || "))
}

// TestSelectionIsOlderFluxs: what is said of a cluster before Flux 2.7 is what its semver library gives, and what is said of the
// others what today's gives, for constraints of all kinds.
func TestSelectionIsOlderFluxs(t *testing.T) {
	r := rand.New(rand.NewPCG(2026, 27))
	differ, refused, wrong := 0, 0, 0
	for range 6000 {
		text := randomConstraint(r)
		older, err := before340.NewConstraint(text)
		ours, ourErr := version.ParseConstraint(text)
		newer, newErr := semver.NewConstraint(text)
		if err != nil || ourErr != nil || newErr != nil {
			if err == nil || ourErr == nil || newErr == nil {
				t.Errorf("%q: %v, today %v, here %v", text, err, newErr, ourErr)
			}
			refused++
			continue
		}
		for range 10 {
			base := fmt.Sprintf("%d.%d.%d", r.IntN(3), r.IntN(2), r.IntN(3))
			tag := base + []string{"", "-0", "-rc.1", "-rc.9", "-alpha", "-rc.10"}[r.IntN(6)]
			was, err := before340.NewVersion(tag)
			if err != nil {
				t.Fatal(err)
			}
			is := semver.MustParse(tag)
			if older.Check(was) != newer.Check(is) {
				differ++
			}
			got := [2]bool{ours.Select([]string{tag}) == tag, ours.SelectOlder([]string{tag}) == tag}
			if want := [2]bool{newer.Check(is), older.Check(was)}; got != want {
				if wrong++; wrong <= 10 {
					t.Errorf("%q of %q: today's and the older library are said to admit it %v, and do %v", text, tag, got, want)
				}
			}
		}
	}
	if t.Logf("%d versions are read in two ways, %d constraints refused", differ, refused); differ < 1000 || refused > 600 {
		t.Error("the constraints are too alike: the test says little")
	}
}

// TestSelectionAsMeasured holds the examples of docs/facts.md 8, measured with source-controller's own code, so that the
// property above cannot be wrong on both sides.
func TestSelectionAsMeasured(t *testing.T) {
	ladder := []string{"0.0.1-rc.1", "0.0.1-rc.2", "0.0.1", "0.0.2-rc.1"}
	for _, test := range []struct {
		constraint string
		tags       []string
		want       string
	}{
		{">= 0.0.0-0", ladder, "0.0.2-rc.1"},
		{">= 0.0.0", ladder, "0.0.1"},
		{"*", ladder, "0.0.1"},
		{"~0.0.1-0", ladder, "0.0.2-rc.1"},
		{">= 0.0.0-0", []string{"0.1.5-rc.4", "0.1.5"}, "0.1.5"},
		{">= 0.0.0-0", []string{"1.0.0-rc.9", "1.0.0-rc.10"}, "1.0.0-rc.10"},
		{">= 0.0.0-0", []string{"1.0.0-rc9", "1.0.0-rc10"}, "1.0.0-rc9"},
		{">= 0.0.0", []string{"0.0.1-rc.1", "0.0.1-rc.2"}, ""},
		{">= 0.0.0", []string{"v1.0.0", "1.0.1"}, "1.0.1"},
		{">= 0.0.0", []string{"1.0", "2", "0.0.1"}, "0.0.1"},
		{">= 0.0.0-0", []string{"2025.02.03", "1.0.0-rc.1"}, "2025.02.03"}, // leading zeros count for Flux
	} {
		c, err := version.ParseConstraint(test.constraint)
		if err != nil {
			t.Fatal(err)
		}
		reference, err := semver.NewConstraint(test.constraint)
		if err != nil {
			t.Fatal(err)
		}
		flux := strings.Join(highest(reference, test.tags), " ")
		if got := c.Select(test.tags); got != test.want || flux != test.want {
			t.Errorf("%q of %q selects %q, Flux %q, want %q", test.constraint, test.tags, got, flux, test.want)
		}
	}
}
