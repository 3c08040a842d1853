package test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	prometheusrules "github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/tsdb"
	"sigs.k8s.io/yaml"
)

// step is how often canary-checker runs the checks, is scraped, and the rules are evaluated.
const step = 30 * time.Second

// check is a check of canary-checker as Prometheus sees it: what it does at each step.
type check struct {
	canary string
	at     func(n int) string // pass, fail, error, idle (does not run), gone (is not scraped)
}

func always(what string) func(int) string { return func(int) string { return what } }

// every does something else in one of each n runs.
func every(n int, what string) func(int) string {
	return func(i int) string {
		if i%n == n-1 {
			return what
		}
		return "pass"
	}
}

// since does something else from a step on.
func since(n int, what string) func(int) string {
	return func(i int) string {
		if i >= n {
			return what
		}
		return "pass"
	}
}

// samples are the metrics that pkg/metrics/metrics.go exports, in the order of what Record does. A counter is there only
// after its first increment, but for canary_check_failed_count, which a success creates.
type samples struct {
	gauge    float64
	counters map[string]float64
}

func (s *samples) record(what string) {
	counter := map[string]string{"pass": "success", "fail": "failed", "error": "error"}[what]
	if counter == "" {
		return
	}
	s.counters["canary_check_count"]++
	s.counters["canary_check_"+counter+"_count"]++
	s.gauge = 1
	if what == "pass" {
		s.gauge = 0
		s.counters["canary_check_failed_count"] += 0
	}
}

// firing loads what the checks do in so many steps into a real Prometheus database, evaluates the example's rules at each
// step, and gives for each alert the steps at which it fires, by alert and canary.
func firing(t *testing.T, steps int, checks ...check) map[string][]int {
	t.Helper()
	db, err := tsdb.Open(t.TempDir(), nil, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute, Parser: parser.NewParser(parser.Options{})})
	defer func() { _ = engine.Close() }()
	query := prometheusrules.EngineQueryFunc(engine, db)
	alerts := alertRules(t)
	all := make([]samples, len(checks))
	fires := map[string][]int{}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := range steps {
		now := start.Add(time.Duration(n) * step)
		for i, c := range checks {
			if all[i].counters == nil {
				all[i].counters = map[string]float64{}
			}
			all[i].record(c.at(n))
			if c.at(n) != "gone" {
				scrape(t, db, now, c.canary, all[i])
			}
		}
		for _, alert := range alerts {
			if _, err := alert.Eval(t.Context(), 0, now, query, nil, 0); err != nil {
				t.Fatalf("%s: %v", alert.Name(), err)
			}
			for _, a := range alert.ActiveAlerts() {
				if a.State == prometheusrules.StateFiring {
					key := alert.Name() + " " + a.Labels.Get("canary_name")
					fires[key] = append(fires[key], n)
				}
			}
		}
	}
	return fires
}

func scrape(t *testing.T, db *tsdb.DB, now time.Time, canary string, s samples) {
	t.Helper()
	app := db.Appender(context.Background())
	add := func(name string, value float64) {
		l := map[string]string{
			"__name__": name, "key": "0190-" + canary, "type": "http", "canary_name": canary, "canary_namespace": "flux-system", "name": canary,
		}
		if name != "canary_check" {
			l["endpoint"], l["owner"], l["severity"] = "https://kubernetes.default.svc/readyz", "", ""
		}
		if _, err := app.Append(0, labels.FromMap(l), now.UnixMilli(), value); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.counters) > 0 {
		add("canary_check", s.gauge)
	}
	for name, value := range s.counters {
		add(name, value)
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
}

// alertRules are the example's rules, read as Prometheus reads a file of rules.
func alertRules(t *testing.T) []*prometheusrules.AlertingRule {
	t.Helper()
	spec := only(t, kustomized(t, filepath.Join(examples, "canary")), "PrometheusRule", "canaries").Object["spec"]
	data, err := yaml.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	p := parser.NewParser(parser.Options{})
	groups, errs := rulefmt.Parse(data, false, model.UTF8Validation, p, slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var all []*prometheusrules.AlertingRule
	for _, group := range groups.Groups {
		if time.Duration(group.Interval) != step {
			t.Errorf("group %s is evaluated each %s", group.Name, group.Interval)
		}
		for _, rule := range group.Rules {
			expr, err := p.ParseExpr(rule.Expr)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, prometheusrules.NewAlertingRule(rule.Alert, expr, time.Duration(rule.For), time.Duration(rule.KeepFiringFor),
				labels.FromMap(rule.Labels), labels.FromMap(rule.Annotations), labels.EmptyLabels(), "", true, slog.New(slog.DiscardHandler)))
		}
	}
	return all
}

// TestExampleCanaryAlerts: each alert fires when it should and not before, and nothing else fires.
func TestExampleCanaryAlerts(t *testing.T) {
	const hour = 120 // steps
	well := check{"flux-pods", always("pass")}
	for name, test := range map[string]struct {
		steps int
		does  func(int) string
		want  string // alert@step at which it first fires
	}{
		"all is well":                      {hour, always("pass"), ""},
		"fails, before 2 minutes":          {60 + 4, since(60, "fail"), ""},
		"fails for 2 minutes":              {60 + 5, since(60, "fail"), "CanaryCheckFailure@64"},
		"errors count as failures":         {60 + 5, since(60, "error"), "CanaryCheckFailure@64"},
		"never passed":                     {30, always("fail"), "CanaryCheckFailure@4 CanaryCheckHighFailureRate@11"},
		"never got as far as a verdict":    {30, always("error"), "CanaryCheckFailure@4 CanaryCheckHighFailureRate@11"},
		"one of ten fails":                 {hour, every(10, "fail"), ""},
		"one of six fails":                 {hour, every(6, "fail"), ""},
		"one of four fails":                {hour, every(4, "fail"), "CanaryCheckHighFailureRate"},
		"one of four ends in an error":     {hour, every(4, "error"), "CanaryCheckHighFailureRate"},
		"one failure at the very start":    {hour, func(n int) string { return map[bool]string{true: "fail", false: "pass"}[n == 0] }, ""},
		"stops running, its last was good": {60 + 40, since(60, "idle"), "CanaryCheckNotRunning"},
		"stops running, its last was bad":  {60 + 40, func(n int) string { return []string{"pass", "fail", "idle"}[min(max(n-59, 0), 2)] }, "CanaryCheckFailure CanaryCheckNotRunning"},
		"is gone":                          {60 + 40, since(60, "gone"), "CanaryCheckNotRunning"},
		"was never there":                  {30, always("gone"), "CanaryCheckNotRunning"},
	} {
		t.Run(name, func(t *testing.T) {
			fires := firing(t, test.steps, check{"api-server", test.does}, well)
			want := strings.Fields(test.want)
			for key, steps := range fires {
				alert, canary, _ := strings.Cut(key, " ")
				if canary != "api-server" {
					t.Errorf("%s fires for %q", alert, canary)
				}
				if i := slices.IndexFunc(want, func(w string) bool { return w == alert || w == fmt.Sprintf("%s@%d", alert, steps[0]) }); i < 0 {
					t.Errorf("%s fires at step %d", alert, steps[0])
				} else {
					want = slices.Delete(want, i, i+1)
				}
			}
			if len(want) > 0 {
				t.Errorf("%v do not fire, but %v", want, fires)
			}
		})
	}
}

// TestExampleAlertsNameRealMetrics: every metric that a rule names is one that canary-checker registers.
func TestExampleAlertsNameRealMetrics(t *testing.T) {
	source := string(foreign(t, "github.com/flanksource/canary-checker@v1.2.0", "pkg/metrics/metrics.go")["pkg/metrics/metrics.go"])
	named := 0
	for _, alert := range alertRules(t) {
		parser.Inspect(alert.Query(), func(node parser.Node, _ []parser.Node) error {
			if v, ok := node.(*parser.VectorSelector); ok {
				if named++; !strings.Contains(source, fmt.Sprintf("%q", v.Name)) {
					t.Errorf("%s: canary-checker has no metric %s", alert.Name(), v.Name)
				}
			}
			return nil
		})
		if s := alert.Labels().Get("severity"); s != map[string]string{"CanaryCheckFailure": "critical", "CanaryCheckHighFailureRate": "warning", "CanaryCheckNotRunning": "critical"}[alert.Name()] {
			t.Errorf("%s has severity %q", alert.Name(), s)
		}
	}
	if named == 0 {
		t.Error("no rule names a metric")
	}
}

// TestExampleNoTokenInTheExamples: nothing that looks like a secret lies in them.
func TestExampleNoTokenInTheExamples(t *testing.T) {
	for _, dir := range exampleDirs(t) {
		for _, u := range kustomized(t, dir) {
			if u.GetKind() == "Secret" {
				t.Errorf("%s has Secret %s", dir, u.GetName())
			}
		}
	}
}
