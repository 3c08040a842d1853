package verify

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// running is what clusters run in short: integration 0.0.2=b runs, live 0.0.1=a runs.
func (s *shelf) running(all []pipeline.Running) string {
	var words []string
	for _, run := range all {
		letter := letterOf(run.Commit)
		if s.Digests[letter] != run.Digest {
			letter += "'"
		}
		words = append(words, fmt.Sprintf("%s %s=%s %s", run.Cluster, run.Version, letter, run.State))
	}
	return strings.Join(words, ", ")
}

// arrivedAs is arrivals in short: 0.0.2=b after 0.0.1=a @15, with < for a rollback.
func arrivedAs(all []pipeline.Arrival) string {
	var words []string
	for _, a := range all {
		word := fmt.Sprintf("%s=%s", a.Version, letterOf(a.Commit))
		if a.Previous != "" {
			word += fmt.Sprintf(" after %s=%s", a.Previous, letterOf(a.PreviousCommit))
		}
		if a.Rollback {
			word += " <"
		}
		words = append(words, fmt.Sprintf("%s @%d", word, int(a.At.Sub(committed("a")).Minutes())))
	}
	return strings.Join(words, ", ")
}

// What the clusters run and what arrived is what they said, and nothing else.
func TestVerifyTellsWhatRunsAndWhatArrived(t *testing.T) {
	const (
		one   = "@a +a 0.0.1-rc.1=a 0.0.1=a "
		two   = one + "@b +b 0.0.2-rc.2=b 0.0.2=b "
		back  = two + "0.0.3=a "
		three = two + "@c +c 0.0.3-rc.3=c 0.0.3=c "
		busy  = two + "@c 0.0.3-rc.3=c "
		long  = three + "@d +d 0.0.4-rc.4=d 0.0.4=d @e +e 0.0.5-rc.5=e 0.0.5=e "
		onB   = "integration 0.0.2=b runs"
	)
	for _, test := range []struct {
		name    string
		words   string
		host    *told
		at      int // minutes after a; 0 for 60
		change  func(*testing.T, *shelf, *Verify)
		running string
		arrived string
	}{
		{name: "all is live", words: two, host: &told{words: "b:success@9", live: "0.0.1=a:success@6 0.0.2=b:success@14"}, change: reporting(), running: onB + ", live 0.0.2=b runs", arrived: "0.0.1=a @6, 0.0.2=b after 0.0.1=a @14"},
		{name: "by commits", words: two, host: &told{words: "b:success@9", live: "=a:success@6 =b:success@14"}, change: reporting(), running: onB + ", live 0.0.2=b runs", arrived: "0.0.1=a @6, 0.0.2=b after 0.0.1=a @14"},
		{name: "a day ago", words: two, host: &told{words: "b:success@9", live: "0.0.1=a:success@6 0.0.2=b:success@14"}, at: 24*60 + 10, change: reporting(), running: onB + ", live 0.0.2=b runs", arrived: "0.0.2=b after 0.0.1=a @14"},
		{name: "long ago", words: two, host: &told{words: "b:success@9", live: "0.0.1=a:success@6 0.0.2=b:success@14"}, at: 24*60 + 14, change: reporting(), running: onB + ", live 0.0.2=b runs"},
		{name: "the first of all", words: one, host: &told{words: "a:success@5", live: "0.0.1=a:success@6"}, change: reporting(), running: "integration 0.0.1=a runs, live 0.0.1=a runs", arrived: "0.0.1=a @6"},
		{name: "on its way to live", words: two, host: &told{words: "b:success@9", live: "0.0.1=a:success@6"}, change: reporting(), running: onB + ", live 0.0.1=a runs, live 0.0.2=b applying", arrived: "0.0.1=a @6"},
		{name: "live says nothing", words: two, host: &told{words: "b:success@9"}, change: reporting(), running: onB + ", live 0.0.2=b applying"},
		{name: "live failed", words: two, host: &told{words: "b:success@9", live: "0.0.1=a:success@6 0.0.2=b:failure@14"}, change: reporting(), running: onB + ", live 0.0.2=b fails", arrived: "0.0.1=a @6"},
		{name: "live waits for a dependency", words: two, host: &told{words: "b:success@9", live: "0.0.1=a:success@6 0.0.2=b:unready@14"}, change: reporting(), running: onB + ", live 0.0.2=b applying", arrived: "0.0.1=a @6"},
		{name: "live failed before", words: three, host: &told{words: "c:success@9", live: "0.0.1=a:success@6 0.0.2=b:failure@14 0.0.3=c:success@20"}, change: reporting(), running: "integration 0.0.3=c runs, live 0.0.3=c runs", arrived: "0.0.1=a @6, 0.0.3=c after 0.0.1=a @20"},
		{name: "it was never healthy before", words: two, host: &told{words: "b:success@9", live: "0.0.1=a:failure@6 0.0.2=b:success@14"}, change: reporting(), running: onB + ", live 0.0.2=b runs", arrived: "0.0.2=b @14"},
		{name: "the one before was healthy only later", words: two, host: &told{words: "b:success@9", live: "0.0.1=a:success@40 0.0.2=b:success@14"}, change: reporting(), running: onB + ", live 0.0.1=a runs, live 0.0.2=b applying", arrived: "0.0.1=a @40"},
		{name: "reports began with it", words: two, host: &told{words: "b:success@9", live: "0.0.2=b:success@14"}, change: reporting(), running: onB + ", live 0.0.2=b runs"},
		{name: "what came before was not read", words: long, host: &told{words: "e:success@9", live: "0.0.1=a:success@6 0.0.2=b:success@10 0.0.3=c:success@20"}, change: reporting(), running: "integration 0.0.5=e runs, live 0.0.3=c runs, live 0.0.5=e applying", arrived: "0.0.3=c after 0.0.2=b @20"},
		{name: "rolled back", words: back, host: &told{words: "b:success@9", live: "0.0.1=a:success@6 0.0.2=b:success@14 0.0.3=a:success@30"}, change: reporting(), running: "integration 0.0.3=a applying, live 0.0.3=a runs", arrived: "0.0.1=a @6, 0.0.2=b after 0.0.1=a @14, 0.0.3=a after 0.0.2=b < @30"},
		{name: "rolled back, since it failed after a while", words: back, host: &told{words: "b:success@9", live: "0.0.1=a:success@6 0.0.2=b:failure@20 0.0.3=a:success@30"}, change: reporting(), running: "integration 0.0.3=a applying, live 0.0.3=a runs", arrived: "0.0.1=a @6, 0.0.3=a after 0.0.2=b < @30"},
		{name: "rolled back from what was never applied", words: back, host: &told{words: "b:success@9", live: "0.0.1=a:success@6 0.0.2=b:unready@20 0.0.3=a:success@30"}, change: reporting(), running: "integration 0.0.3=a applying, live 0.0.3=a runs", arrived: "0.0.1=a @6, 0.0.3=a after 0.0.1=a < @30"},
		{name: "rolled back, and not reported yet", words: back, host: &told{words: "b:success@9", live: "0.0.1=a:success@6 0.0.2=b:success@14"}, change: reporting(), running: "integration 0.0.3=a applying, live 0.0.2=b runs, live 0.0.3=a applying", arrived: "0.0.1=a @6, 0.0.2=b after 0.0.1=a @14"},
		{name: "rolled back, and integration runs it", words: back, host: &told{words: "a:success@25 b:success@9", bound: "0.0.3=a"}, running: "integration 0.0.3=a runs"},
		{name: "rolled back, and integration's word is of before", words: back, host: &told{words: "a:success@25 b:success@9", bound: "0.0.1=a"}, running: "integration 0.0.3=a applying"},
		{name: "rolled back, and only commits are reported", words: back, host: &told{words: "a:success@5 b:success@9", live: "=a:success@6 =b:success@14"}, change: reporting()},
		{name: "rolled back to what never was live", words: "@a +a 0.0.1-rc.1=a @b +b 0.0.1-rc.2=b 0.0.1=b 0.0.2=a", host: &told{live: "0.0.1=b:success@10 0.0.2=a:success@20"}, change: reporting(), running: "integration 0.0.2=a applying, live 0.0.2=a runs", arrived: "0.0.1=b @10, 0.0.2=a after 0.0.1=b < @20"},
		{name: "integration is busy", words: busy, host: &told{words: "b:success@9", live: "0.0.2=b:success@14"}, change: reporting(), running: "integration 0.0.3-rc.3=c applying, live 0.0.2=b runs"},
		{name: "integration failed, another one is asked for", words: busy, host: &told{words: "b:success@9 c:failure@9", live: "0.0.2=b:success@14"}, change: reporting(ask("a")), running: "integration 0.0.3-rc.3=c fails, live 0.0.2=b runs"},
		{name: "integration waits for a dependency", words: busy, host: &told{words: "c:pending@9"}, running: "integration 0.0.3-rc.3=c applying"},
		{name: "live does not report", words: two, host: &told{words: "b:success@9"}, running: onB},
		{name: "no token", words: two, change: reporting()},
		{name: "statuses cannot be read", words: two, host: &told{err: map[string]error{"statuses": errLost}}, change: reporting()},
		{name: "the statuses of one cannot be read", words: two, host: &told{words: "b:success@9", live: "0.0.2=b:success@14", err: map[string]error{"statuses a": errLost}}, change: reporting(), running: onB},
		{name: "nothing is promoted", words: "@a 0.0.1-rc.1=a", host: &told{}, change: reporting(), running: "integration 0.0.1-rc.1=a applying"},
		{name: "nothing is built", host: &told{}, change: reporting()},
		{name: "it is somebody's", words: one + "0.0.2=0", host: &told{words: "a:success@5"}, change: reporting()},
		{name: "built twice, and a word on the commit", words: "@x +x 0.0.1-rc.24=x 0.0.1=x sha-of-x=x' integration-of-x=x' 0.0.2-rc.24=x'", host: &told{words: "x:success@5", live: "=x:success@30"}, change: reporting()},
		{name: "built twice, and a word on one", words: "@x +x 0.0.1-rc.24=x 0.0.1=x sha-of-x=x' integration-of-x=x' 0.0.2-rc.24=x' 0.0.2=x'", host: &told{live: "0.0.1=x:success@30"}, change: reporting(), running: "integration 0.0.2=x' applying, live 0.0.1=x runs, live 0.0.2=x' applying", arrived: "0.0.1=x @30"},

		{name: "its objects", words: two, host: &told{words: "b:success@9"}, at: 120, change: both("0.0.2=b", "0.0.2=b"), running: onB + ", live 0.0.2=b runs", arrived: "0.0.2=b after 0.0.1=a @13"},
		{name: "its objects, and no token", words: two, at: 120, change: both("0.0.2=b", "0.0.2=b"), running: onB + ", live 0.0.2=b runs", arrived: "0.0.2=b after 0.0.1=a @13"},
		{name: "its objects, a rollback", words: back, at: 120, change: both("0.0.3=a", "0.0.3=a"), running: "integration 0.0.3=a runs, live 0.0.3=a runs", arrived: "0.0.3=a after 0.0.2=b < @13"},
		{name: "its objects have the one before", words: two, at: 120, change: both("0.0.2=b", "0.0.1=a"), running: onB + ", live 0.0.1=a runs, live 0.0.2=b applying", arrived: "0.0.1=a @13"},
		{name: "its objects fail", words: two, at: 120, change: both("0.0.2=b", "0.0.2=b", "LIVE_READY", "False", "INTEGRATION_READY", "False"), running: "integration 0.0.2=b fails, live 0.0.2=b fails"},
		{name: "its objects fail with the one before", words: two, at: 120, change: both("0.0.1=a", "0.0.1=a", "LIVE_READY", "False", "INTEGRATION_READY", "False"), running: "integration 0.0.2=b applying, live 0.0.1=a fails, live 0.0.2=b applying"},
		{name: "its objects are under way", words: two, at: 20, change: both("0.0.2=b", "0.0.2=b", "LIVE_READY", "Unknown", "INTEGRATION_READY", "Unknown"), running: "integration 0.0.2=b applying, live 0.0.2=b applying"},
		{name: "its report is newer than its objects", words: two, host: &told{words: "b:success@9", live: "0.0.1=a:success@6 0.0.2=b:failure@40"}, at: 120, change: reporting(both("0.0.2=b", "0.0.2=b")), running: onB + ", live 0.0.2=b fails", arrived: "0.0.1=a @6"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newShelf(t, expand(test.words))
			var host Host
			if test.host != nil {
				test.host.s, host = s, test.host
			}
			v := verifyOf(t, s, host, cmp.Or(test.at, 60))
			if test.change != nil {
				test.change(t, s, &v)
			}
			r := must(v.Run(t.Context()))
			if got := s.running(r.Running); got != test.running {
				t.Errorf("running %q, want %q", got, test.running)
			}
			if got := arrivedAs(r.Arrivals); got != test.arrived {
				t.Errorf("arrived %q, want %q", got, test.arrived)
			}
		})
	}
}
