package verify

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// inMinutes is a lead time in short: live 14: build 3, integration 6.
func inMinutes(l *pipeline.Lead) string {
	if l == nil {
		return ""
	}
	var parts []string
	for _, part := range l.Parts {
		parts = append(parts, fmt.Sprintf("%s %d", strings.Join(part.Of, "+"), part.Seconds/60))
	}
	return fmt.Sprintf("%s%d: %s", map[bool]string{true: "live "}[l.Live], l.Seconds/60, strings.Join(parts, ", "))
}

// marksAt are the ends of the four parts in minutes after a commit; -1 for unknown.
func marksAt(commit time.Time, minutes ...int) []mark {
	names := []string{pipeline.LeadBuild, pipeline.LeadIntegration, pipeline.LeadPromotion, pipeline.LeadLive}
	marks := make([]mark, len(names))
	for i, m := range minutes {
		if marks[i].part = names[i]; m != unknownTime {
			marks[i].at = commit.Add(time.Duration(m) * time.Minute)
		}
	}
	return marks
}

const unknownTime = -1000

func TestLeadOf(t *testing.T) {
	const x = unknownTime
	for _, test := range []struct {
		name    string
		minutes []int
		want    string
	}{
		{"all is known", []int{3, 9, 10, 14}, "live 14: build 3, integration 6, promotion 1, live 4"},
		{"not live yet", []int{3, 9, 10, x}, "10: build 3, integration 6, promotion 1"},
		{"not promoted yet", []int{3, 9, x, x}, "9: build 3, integration 6"},
		{"not validated yet", []int{3, x, x, x}, "3: build 3"},
		{"nothing is known", []int{x, x, x, x}, ""},
		{"no run of the promotion", []int{3, 9, x, 14}, "live 14: build 3, integration 6, promotion+live 5"},
		{"no runs at all", []int{x, 9, x, 14}, "live 14: build+integration 9, promotion+live 5"},
		{"live alone", []int{x, x, x, 14}, "live 14: build+integration+promotion+live 14"},
		{"the build's run went on", []int{12, 9, 10, 14}, "live 14: build+integration 9, promotion 1, live 4"},
		{"live was faster than the promotion's run", []int{3, 9, 20, 14}, "live 14: build 3, integration 6, promotion+live 5"},
		{"a word of before the commit", []int{3, -5, 10, 14}, "live 14: build 3, integration+promotion 7, live 4"},
		{"all of before the commit", []int{-4, -3, -2, -1}, ""},
		{"at once", []int{0, 0, 0, 0}, "live 0: build 0, integration 0, promotion 0, live 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := inMinutes(leadOf(epoch, marksAt(epoch, test.minutes...))); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	for _, unknown := range []time.Time{{}, time.Unix(0, 0), time.Unix(0, 0).UTC()} {
		if l := leadOf(unknown, marksAt(epoch, 3, 9, 10, 14)); l != nil {
			t.Errorf("of no commit's time %+v", l)
		}
		var all []arrival
		for _, d := range []digest.Digest{"a", "b", "c"} {
			all = append(all, arrival{&pipeline.Artifact{Info: bundle.Info{Created: unknown}, Desc: ocispec.Descriptor{Digest: d}}, epoch})
		}
		if m := medianOf(all); m != nil {
			t.Errorf("of no commits' times %+v", m)
		}
	}
}

// No part is negative, the parts make the whole, and each of the path is named once, in its order.
func TestLeadOfAddsUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(18, 3))
	for range 20000 {
		minutes := make([]int, 4)
		for i := range minutes {
			if minutes[i] = rng.IntN(30) - 8; rng.IntN(3) == 0 {
				minutes[i] = unknownTime
			}
		}
		l := leadOf(epoch, marksAt(epoch, minutes...))
		if l == nil {
			continue
		}
		sum, named := int64(0), []string{}
		for _, part := range l.Parts {
			if sum += part.Seconds; part.Seconds < 0 || len(part.Of) == 0 {
				t.Fatalf("%v: %s", minutes, inMinutes(l))
			}
			named = append(named, part.Of...)
		}
		whole := []string{pipeline.LeadBuild, pipeline.LeadIntegration, pipeline.LeadPromotion, pipeline.LeadLive}
		if !slices.Equal(named, whole[:len(named)]) || sum != l.Seconds || l.Live != (len(named) == 4) {
			t.Fatalf("%v: %s", minutes, inMinutes(l))
		}
	}
}

func TestMedianOf(t *testing.T) {
	// A word is HEIGHT:MINUTES from the commit to live, - for unknown; ' is another artifact of the height.
	for _, test := range []struct{ name, arrivals, want string }{
		{"none", "", ""},
		{"two", "1:5 2:6", ""},
		{"three", "1:5 2:60 3:7", "7 of 3"},
		{"four", "1:5 2:6 3:8 4:90", "7 of 4"},
		{"unknown ones", "1:5 2:- 3:7 4:- 5:9", "7 of 3"},
		{"two are known", "1:5 2:- 3:7 4:-", ""},
		{"a rollback to what was live", "1:5 2:6 1:5 3:7", "6 of 3"},
		{"a rollback to what never was", "1:5 3:7 2:900 4:8", "7 of 3"},
		{"one artifact under two versions", "1:5 1:5 2:6 3:7", "6 of 3"},
		{"live before its commit", "1:5 2:6 3:-9 4:8", "6 of 3"},
		{"without heights", "0a:5 0b:6 0c:7", "6 of 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var all []arrival
			for word := range strings.FieldsSeq(test.arrivals) {
				of, minutes, _ := strings.Cut(word, ":")
				a := &pipeline.Artifact{Info: bundle.Info{Created: epoch}}
				a.Desc.Digest = digest.FromString(of)
				_, _ = fmt.Sscan(of, &a.Height)
				one := arrival{artifact: a}
				if minutes != "-" {
					one.live = epoch.Add(minute(minutes))
				}
				all = append(all, one)
			}
			got := ""
			if m := medianOf(all); m != nil {
				got = fmt.Sprintf("%d of %d", m.Seconds/60, m.Of)
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// What verify tells of times is made of what it read, and only of that.
func TestVerifyTellsTimes(t *testing.T) {
	const two = "@a +a 0.0.1-rc.1=a 0.0.1=a @b +b 0.0.2-rc.2=b 0.0.2=b "
	for _, test := range []struct {
		name   string
		words  string
		host   *told
		change func(*testing.T, *shelf, *Verify)
		lead   string
		median string
	}{
		{name: "all is known", words: two, host: &told{words: "b:success@9", builds: "b:success@2", promotions: "success@11", live: "0.0.2=b:success@15"}, change: reporting(), lead: "live 14: build 3, integration 6, promotion 2, live 3"},
		{name: "a run that did nothing", words: two, host: &told{words: "b:success@9", promotions: "skipped@10 success@11 success@12", live: "0.0.2=b:success@15"}, change: reporting(), lead: "live 14: build+integration 9, promotion 2, live 3"},
		{name: "runs of verify", words: two, host: &told{words: "b:success@9", promotions: "~success@10 success@11 ~success@15", live: "0.0.2=b:success@15"}, change: reporting(), lead: "live 14: build+integration 9, promotion 2, live 3"},
		{name: "too many runs to find the first", words: two, host: &told{words: "b:success@9", promotions: "success@11" + strings.Repeat(" success@13", mostRuns-1), live: "0.0.2=b:success@15"}, change: reporting(), lead: "live 14: build+integration 9, promotion+live 5"},
		{name: "live does not report", words: two, host: &told{words: "b:success@9", builds: "b:success@2", promotions: "success@11"}, lead: "11: build 3, integration 6, promotion 2"},
		{name: "a soak, which the schedule ends", words: two, host: &told{words: "b:success@9", promotions: "success@11", live: "0.0.2=b:success@15"}, change: reporting(soaking(time.Minute)), lead: "live 14: build+integration 9, promotion+live 5"},
		{name: "on its way", words: two + "@c 0.0.3-rc.3=c", host: &told{builds: "c:success@4"}, lead: "5: build 5"},
		{name: "live failed", words: two, host: &told{words: "b:success@9", live: "0.0.2=b:failure@15"}, change: reporting(), lead: "9: build+integration 9"},
		{name: "by its objects", words: two, host: &told{words: "b:success@9"}, change: both("0.0.2=b", "0.0.2=b"), lead: "live 12: build+integration 9, promotion+live 3"},
		{name: "live again by a rollback", words: two + "0.0.3=a", host: &told{words: "a:success@5", live: "0.0.1=a:success@8 0.0.3=a:success@40"}, change: reporting(ask("a")), lead: "live 8: build+integration 5, promotion+live 3"},
		{name: "no token", words: two, change: reporting()},
		{name: "not built", words: two, host: &told{head: "c"}, change: ask("c")},
		{name: "of three", words: two + "@c +c 0.0.3-rc.3=c 0.0.3=c", host: &told{live: "0.0.1=a:success@10 0.0.2=b:success@12 0.0.3=c:success@20"}, change: reporting(), lead: "live 18: build+integration+promotion+live 18", median: "11 of 3"},
		{name: "of three, by commits", words: two + "@c +c 0.0.3-rc.3=c 0.0.3=c", host: &told{live: "=a:success@10 =b:success@12 =c:success@20"}, change: reporting(), lead: "live 18: build+integration+promotion+live 18", median: "11 of 3"},
		{name: "of a long history", words: longHistory(22), host: &told{live: longReports(22)}, change: reporting(), lead: "live 22: build+integration+promotion+live 22", median: "12 of 20"},
		{name: "a long history of which half is not told", words: longHistory(8), host: &told{live: longReports(8), err: map[string]error{"statuses a": errLost, "statuses b": errLost}}, change: reporting(), lead: "live 8: build+integration+promotion+live 8", median: "5 of 6"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newShelf(t, expand(test.words))
			var host Host
			if test.host != nil {
				test.host.s, host = s, test.host
			}
			v := verifyOf(t, s, host, early)
			v.Now = v.Now.Add(30 * time.Minute)
			if test.change != nil {
				test.change(t, s, &v)
			}
			r := must(v.Run(t.Context()))
			if got := inMinutes(r.Lead); got != test.lead {
				t.Errorf("lead %q, want %q", got, test.lead)
			}
			median := ""
			if m := r.MedianLead; m != nil {
				median = fmt.Sprintf("%d of %d", m.Seconds/60, m.Of)
			}
			if median != test.median {
				t.Errorf("median %q, want %q", median, test.median)
			}
		})
	}
}

var errLost = fmt.Errorf("502")

// longHistory are so many commits, each live.
func longHistory(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "@%c +%[1]c 0.0.%[2]d-rc.%[2]d=%[1]c 0.0.%[2]d=%[1]c ", 'a'+i, i+1)
	}
	return b.String()
}

// longReports are live's, n minutes after the n-th commit.
func longReports(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "0.0.%d=%c:success@%d ", i+1, 'a'+i, i+i+1)
	}
	return b.String()
}
